import { spawnSync } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { candidatesAfter } from "../../src/cli/completion/complete.js";
import { lineWords } from "../../src/cli/completion/line-words.js";
import { programFor } from "../../src/cli/program.js";
import { run, type Started, start } from "../foreign/run.js";
import { MAIN } from "../support/cli-process.js";
import { cliSession } from "./session.js";
import { hasTerminal } from "./terminal.js";

const cli = cliSession();
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "etcdnet-completion-"));
  const program = join(folder, "etcdnet");
  await writeFile(program, `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`);
  await chmod(program, 0o755);
  await cli.etcd.setNode("/config/mail/port", "smtp-25");
  await cli.etcd.setNode("/config/other", "1");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What is offered for the last word, without descriptions. */
async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const found = await candidatesAfter(words, programFor);
  return found.isFile ? ["files"] : found.words.map(({ word }) => word);
}

describe("the words that are offered", () => {
  beforeAll(() => {
    vi.stubEnv("XDG_CONFIG_HOME", join(folder, "config"));
    vi.stubEnv("ETCDNET_ENDPOINTS", cli.url);
  });
  afterAll(() => vi.unstubAllEnvs());

  it("are commands, their commands, and options behind a dash", async () => {
    expect(await offered("")).toEqual(expect.arrayContaining(["get", "member"]));
    expect(await offered("exec")).toEqual(["exec-watch"]);
    expect(await offered("--debug", "--api", "v3", "member", "--endpoints", "x", "")).toEqual(
      expect.arrayContaining(["list", "add"]),
    );
    expect(await offered("member", "add", "--end")).toEqual(["--endpoints"]);
    expect(await offered("--prefix", "member", "ls", "--rec")).toEqual(["--recursive"]);
    expect(await offered("set", "--rec")).toEqual([]);
    expect(await offered("get", "--", "--rec")).toEqual([]);
  });

  it("are the values of options and arguments", async () => {
    expect(await offered("--api", "")).toEqual(["v2", "v3"]);
    expect(await offered("get", "--output=js")).toEqual(["--output=json", "--output=jsonl"]);
    expect(await offered("completion", "")).toEqual(["bash", "zsh", "fish"]);
    expect(await offered("get", "--cacert", "")).toEqual(["files"]);
    expect(await offered("get", "--timeout", "")).toEqual([]);
    expect(await offered("serve", "--p")).not.toContain("--prefix");
    await cli.run(["context", "add", "prod", "--endpoints", cli.url, "--prefix", "/config"], {
      env: { XDG_CONFIG_HOME: join(folder, "config") },
    });
    expect(await offered("get", "--context", "")).toEqual(["prod"]);
    expect(await offered("context", "use", "p")).toEqual(["prod"]);
    expect(await offered("diff", "--from-context", "")).toEqual(["prod"]);
  });

  it("are keys, level by level, of the cluster that the line names", async () => {
    expect(await offered("get", "/")).toEqual(["/config/"]);
    expect(await offered("get", "con")).toEqual(["config/"]);
    expect(await offered("rm", "-r", "/config/")).toEqual(["/config/mail/", "/config/other"]);
    expect(await offered("wait", "/config/o")).toEqual(["/config/other"]);
    expect(await offered("ls", "--prefix", "/co")).toEqual(["/config/"]);
    expect(await offered("get", "--prefix", "/config", "/m")).toEqual(["/mail/"]);
    expect(await offered("get", "--context", "prod", "")).toEqual(["/mail/", "/other"]);
    expect(await offered("set", "/config/other", "")).toEqual([]);
    expect(await offered("get", "/none/")).toEqual([]);
    expect(await offered("serve", "/")).toEqual([]);
  });

  it("are none when the cluster does not respond, a password is needed, or the line is wrong", async () => {
    let silent: Server | undefined;
    const port = await new Promise<number>((resolve) => {
      silent = createServer(() => {}).listen(0, "127.0.0.1", () => {
        const address = silent?.address();
        resolve(typeof address === "object" ? (address?.port ?? 0) : 0);
      });
    });
    spawnSync("mkfifo", [join(folder, "pipe")]);
    for (const words of [
      ["--endpoints", `http://127.0.0.1:${port}`],
      ["--endpoints", "http://127.0.0.1:1"],
      ["-u", "root"],
      ["-u", "root", "--password-file", join(folder, "pipe")],
      ["--cacert", join(folder, "none")],
      ["--context", "none"],
      ["--timeout", "x"],
    ]) {
      const { stdout, stderr } = await cli.run(["__complete", "zsh", "get", ...words, "/"]);
      expect([stdout.replace("words\n", ""), stderr], words.join(" ")).toEqual(["", ""]);
    }
    silent?.close();
  });

  it("replace in bash only what follows the last = or :", async () => {
    const ask = async (line: string, word: string): Promise<string> =>
      await cli.print("__complete", "bash", line, word);
    const url = `--endpoints ${cli.url}`;
    expect(await ask(`etcdnet get ${url} --output=y`, "y")).toBe("words\nyaml\t\n");
    expect(await ask(`etcdnet get ${url} --output=`, "=")).toMatch(/^words\nsimple\t\n/);
    expect(await ask(`etcdnet get ${url} '/con`, "'/con")).toBe("words\n/config/\t\n");
    expect(lineWords(`a  "b c"d 'e"' f\\ g "" h`)).toEqual(["a", "b cd", 'e"', "f g", "", "h"]);
    expect(lineWords("a ")).toEqual(["a", ""]);
  });
});

const SHELLS: Readonly<Record<string, readonly [args: string, setUp: string]>> = {
  bash: ["--norc --noprofile -i", ""],
  zsh: ["-f -i", "autoload -U compinit; compinit -u -D;"],
  fish: ["--no-config -i", ""],
};
/** The tests of shells that are not installed are skipped. */
const hasShell = (shell: string): boolean => spawnSync(shell, ["-c", "true"]).error === undefined;

describe.each(Object.keys(SHELLS))("completion in %s", (shell) => {
  it.runIf(hasShell(shell) && hasTerminal)("completes as a person types", async () => {
    const script = join(folder, `completion.${shell}`);
    await writeFile(script, await cli.print("completion", shell));
    const [args, setUp] = SHELLS[shell] ?? ["", ""];
    const env = { HOME: folder, TERM: "xterm", PATH: `${folder}:${process.env.PATH}` };
    const person = start("script", ["-qec", `${shell} ${args}`, "/dev/null"], {
      env: { ...env, XDG_CONFIG_HOME: join(folder, "config"), XDG_DATA_HOME: folder },
      keepInput: true,
    });
    const type = (text: string): void => void person.child.stdin?.write(text);
    type(`${setUp} source ${script}; echo rea''dy\r`);
    await shows(person, "ready");
    type(`etcdnet ge\t--endp\t${cli.url} -o ya\t/con\tma\tpo\t\r`);
    await shows(person, "value: smtp-25");
    type("etcdnet get --endpoints http://127.0.0.1:1 /con\t");
    type("\x15echo st''ill\r");
    await shows(person, "still");
    expect(person.printed()).not.toMatch(/error|refused/i);
    type("exit\r");
    expect((await person.ended).code).toBe(0);
  });

  it.runIf(hasShell(shell))("is a valid script", async () => {
    const script = join(folder, `valid.${shell}`);
    await writeFile(script, await cli.print("completion", shell));
    // Not from standard input: fish does not read a script from there.
    expect(await run(shell, ["-n", script])).toEqual({ code: 0, stdout: "", stderr: "" });
  });
});

async function shows({ printed }: Started, text: string): Promise<void> {
  await vi.waitFor(() => expect(printed()).toContain(text), { timeout: 60_000, interval: 50 });
}
