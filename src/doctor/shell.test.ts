import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { commandLine } from "./shell.js";

test("a shell reads each word unchanged", () => {
  const words = ["/a", "it's", "", "a b", "$HOME", "`id`", "*", "~", '"', "\\", "#x", "-r", "é"];
  const printed = execFileSync("sh", ["-c", `${commandLine("printf", "%s\\0", ...words)}`]);
  expect(printed.toString().split("\0").slice(0, -1)).toEqual(words);
});

test("control characters do not reach a terminal", () => {
  const word = "/it's\n\u001b[31mred\\ \u202e";
  const line = commandLine("printf", "%s", word);
  expect(line).toBe("printf %s $'/it\\x27s\\x0a\\x1b[31mred\\x5c \\xe2\\x80\\xae'");
});

test("plain words need no quotes", () => {
  expect(commandLine("etcdnet", "--endpoints", "http://127.0.0.1:2379,http://b:1", "rm")).toBe(
    "etcdnet --endpoints http://127.0.0.1:2379,http://b:1 rm",
  );
});
