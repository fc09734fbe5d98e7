/** Every message of docs/troubleshooting.md is in the source: each part between what differs, word by word. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../scripts/project.mjs";

/** The sources, with strings that are put together of several lines as one. */
const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
  .map((name) => readFileSync(join(root, "src", name), "utf8"))
  .join("\n")
  .replaceAll(/["`] \+\s+["`]/g, "");

/** The parts of a message that no source has. */
function missingParts(message: string): readonly string[] {
  const parts = message.split("…").map((part) => part.trim());
  return parts.filter((part) => part.length > 2 && !sources.includes(part));
}

const page = readFileSync(join(root, "docs/troubleshooting.md"), "utf8");
const messages = [...page.matchAll(/^```text\n(.*?)\n```/gms)].map(([, message = ""]) => message);

test("the page has messages", () => {
  expect(messages.length).toBeGreaterThan(20);
});

test.each(messages)("%s", (message) => {
  expect(missingParts(message)).toEqual([]);
});

test("each message has a cause and a fix", () => {
  const entries = page.split(/^```text\n/m).slice(1);
  const incomplete = entries.filter((entry) => !/\*\*Cause\.\*\*.*\*\*Fix\.\*\*/s.test(entry));
  expect(incomplete).toEqual([]);
});

test("a message that does not exist is found", () => {
  const message = "…: no member returned a usable response to us (…)";
  expect(missingParts(message)).toEqual([": no member returned a usable response to us ("]);
});
