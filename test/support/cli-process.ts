/** `etcdnet` as a process, from a build of its own. */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";

const OUT = ".test-results/cli";

/** Compiles the sources as they are now. */
export function buildCli(): void {
  const tsc = "node_modules/typescript/bin/tsc";
  execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json", "--outDir", OUT]);
}

export class Cli implements AsyncDisposable {
  readonly process: ChildProcess;
  stdout = "";
  stderr = "";
  /** How it ended: a code, or the signal that ended it. */
  readonly exit: Promise<number | NodeJS.Signals | null>;

  constructor(...args: readonly string[]) {
    const child = spawn(process.execPath, [`${OUT}/cli/main.js`, ...args]);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.process = child;
    this.exit = new Promise((resolve) => {
      child.once("close", (code, signal) => resolve(code ?? signal));
    });
  }

  /** The URL that it listens on, once it does. */
  async url(): Promise<string> {
    for (;;) {
      const [, url] = /^listening on (\S+)\n/m.exec(this.stdout) ?? [];
      if (url !== undefined) return url;
      if (this.process.exitCode !== null) throw new Error(`it ended: ${this.stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.exit;
  }
}
