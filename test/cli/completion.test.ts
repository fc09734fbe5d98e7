import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../foreign/run.js";
import { cliSession } from "./session.js";

const cli = cliSession();

/** Completions of the last word in bash. */
async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const line = words.map((word) => `"${word}"`).join(" ");
  const ask = `COMP_WORDS=(etcdnet ${line}); COMP_CWORD=${words.length}; _etcdnet; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const script = await cli.print("completion", "bash");
  const { stdout, stderr } = await run("bash", ["-c", `${script}\n${ask}`]);
  expect(stderr).toBe("");
  return stdout.trim().split("\n");
}

/** Installed shells. The tests of others are skipped. */
const hasShell = (shell: string): boolean => spawnSync(shell, ["-c", "true"]).error === undefined;

describe("completion", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "etcdnet-completion-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("offers commands, their commands and their options, in bash", async () => {
    expect(await offered("")).toEqual(expect.arrayContaining(["get", "member", "--endpoints"]));
    expect(await offered("exec")).toEqual(["exec-watch"]);
    expect(await offered("member", "")).toEqual(expect.arrayContaining(["list", "add"]));
    expect(await offered("member", "add", "--end")).toEqual(["--endpoints"]);
    expect(await offered("--debug", "ls", "--rec")).toEqual(["--recursive"]);
    expect(await offered("set", "--rec")).toEqual([""]);
  });

  it.each(["bash", "zsh", "fish"])("is a valid script for %s", async (shell) => {
    const script = await cli.print("completion", shell);
    for (const word of ["exec-watch", "recursive", "endpoints"]) expect(script).toContain(word);
    const file = join(folder, `completion.${shell}`);
    await writeFile(file, script);
    // Not from standard input: fish does not read a script from there.
    const check = spawnSync(shell, ["-n", file], { encoding: "utf8" });
    if (check.error === undefined) expect(check).toMatchObject({ status: 0, stderr: "" });
  });

  it.runIf(hasShell("fish"))("offers commands and options, in fish", async () => {
    const file = join(folder, "live.fish");
    await writeFile(file, await cli.print("completion", "fish"));
    const ask = (line: string) => run("fish", ["-c", `source ${file}; complete -C "${line}"`]);
    expect((await ask("etcdnet exec")).stdout).toMatch(/^exec-watch\b/m);
    expect((await ask("etcdnet ls --rec")).stdout).toMatch(/^--recursive\b/m);
  });
});
