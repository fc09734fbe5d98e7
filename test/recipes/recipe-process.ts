/** Programs that use the recipes, as processes that can be paused. */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "../../scripts/project.mjs";

/** What a program tells. */
export interface Told {
  readonly event: string;
  readonly [detail: string]: unknown;
}

export class RecipeProcess implements AsyncDisposable {
  readonly told: Told[] = [];
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown[]>;
  #stderr = "";

  /** `program` is the name of a file beside this one. */
  constructor(program: string, ...args: readonly string[]) {
    const index = pathToFileURL(join(root, "dist/index.js")).href;
    this.#child = fork(join(import.meta.dirname, program), [index, ...args], {
      execArgv: [],
      stdio: ["ignore", "inherit", "pipe", "ipc"],
    });
    this.pid = this.#child.pid ?? 0;
    this.#exit = once(this.#child, "close");
    this.#child.on("message", (told: Told) => this.told.push(told));
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
  }

  /** Resolves when it has told such a thing. */
  async until(isIt: (told: Told) => boolean): Promise<Told> {
    for (;;) {
      const told = this.told.find(isIt);
      if (told !== undefined) return told;
      if (this.#child.exitCode !== null) throw new Error(`it ended: ${this.#stderr}`);
      await Promise.race([once(this.#child, "message"), this.#exit]);
    }
  }

  pause(): void {
    this.#child.kill("SIGSTOP");
  }

  resume(): void {
    this.#child.kill("SIGCONT");
  }

  /** For a program that waits for its sign to begin. */
  begin(): void {
    this.#child.send({ begin: true });
  }

  /** Asks it to end; resolves when it has. @throws when it did not end well */
  async end(): Promise<void> {
    this.#child.send({ end: true });
    await this.ended();
  }

  /** Resolves when it has ended by itself. @throws when it did not end well */
  async ended(): Promise<void> {
    const [code, signal] = await this.#exit;
    if (code !== 0) throw new Error(`it ended with ${code ?? signal}: ${this.#stderr}`);
  }

  /** SIGKILL: it cannot give anything back. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exit;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}
