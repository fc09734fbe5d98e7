/** Runs the built `etcdnet` as a process. Test files call `buildIfStale` first. */

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { root } from "../../scripts/project.mjs";
import { plainEnvironment } from "./plain-environment.js";

export const MAIN = join(root, "dist/cli/main.js");

export class Cli implements AsyncDisposable {
  readonly process: ChildProcess;
  stdout = "";
  stderr = "";
  /** Exit code, or the signal that ended the process. */
  readonly exit: Promise<number | NodeJS.Signals | null>;

  /** Objects in the arguments are variables of the environment. */
  constructor(...args: readonly (string | NodeJS.ProcessEnv)[]) {
    const words = args.filter((argument) => typeof argument === "string");
    const variables = args.filter((argument) => typeof argument !== "string");
    const env = Object.assign(plainEnvironment(), ...variables);
    const child = spawn(process.execPath, [MAIN, ...words], { env });
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

  /** Resolves with its URL when the process listens. */
  async url(): Promise<string> {
    for (;;) {
      const [, url] = /^listening on (\S+)\n/m.exec(this.stdout) ?? [];
      if (url !== undefined) return url;
      if (this.process.exitCode !== null) throw new Error(`the process ended: ${this.stderr}`);
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
