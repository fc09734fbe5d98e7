import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { run } from "../foreign/run.js";
import { cliSession } from "./session.js";

const cli = cliSession();

/** What bash would offer for the last of the words. */
async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const line = words.map((word) => `"${word}"`).join(" ");
  const ask = `COMP_WORDS=(etcdnet ${line}); COMP_CWORD=${words.length}; _etcdnet; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const script = await cli.print("completion", "bash");
  const { stdout, stderr } = await run("bash", ["-c", `${script}\n${ask}`]);
  expect(stderr).toBe("");
  return stdout.trim().split("\n");
}

describe("completion", () => {
  it("offers commands, their commands and their options, in bash", async () => {
    expect(await offered("")).toEqual(expect.arrayContaining(["get", "member", "--endpoints"]));
    expect(await offered("exec")).toEqual(["exec-watch"]);
    expect(await offered("member", "")).toEqual(expect.arrayContaining(["list", "add"]));
    expect(await offered("member", "add", "--end")).toEqual(["--endpoints"]);
    expect(await offered("--debug", "ls", "--rec")).toEqual(["--recursive"]);
    expect(await offered("get", "--rec")).toEqual([""]);
  });

  it.each(["bash", "zsh", "fish"])("is a script without mistakes for %s", async (shell) => {
    const script = await cli.print("completion", shell);
    for (const word of ["exec-watch", "recursive", "endpoints"]) expect(script).toContain(word);
    const check = spawnSync(shell, ["-n"], { input: script, encoding: "utf8" });
    // Shells that are not there cannot be asked.
    if (check.error === undefined) expect(check).toMatchObject({ status: 0, stderr: "" });
  });
});
