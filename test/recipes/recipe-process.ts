/** Runs programs that use the recipes as processes that can be paused. */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "../../scripts/project.mjs";

/** A message from a program. */
export interface ProgramMessage {
  readonly event: string;
  readonly [detail: string]: unknown;
}

export class RecipeProcess implements AsyncDisposable {
  readonly messages: ProgramMessage[] = [];
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
    this.#child.on("message", (message: ProgramMessage) => this.messages.push(message));
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
  }

  /** Resolves with the first message that matches. */
  async until(matches: (message: ProgramMessage) => boolean): Promise<ProgramMessage> {
    for (;;) {
      const message = this.messages.find(matches);
      if (message !== undefined) return message;
      if (this.#child.exitCode !== null) throw new Error(`the program ended: ${this.#stderr}`);
      await Promise.race([once(this.#child, "message"), this.#exit]);
    }
  }

  pause(): void {
    this.#child.kill("SIGSTOP");
  }

  resume(): void {
    this.#child.kill("SIGCONT");
  }

  /** Sends the message that lets a waiting program begin. */
  begin(): void {
    this.#child.send({ begin: true });
  }

  /** Requests the end of the program, and waits for it. @throws if its exit code is not 0 */
  async end(): Promise<void> {
    this.#child.send({ end: true });
    await this.ended();
  }

  /** Waits for the end of the program. @throws if its exit code is not 0 */
  async ended(): Promise<void> {
    const [code, signal] = await this.#exit;
    if (code !== 0) throw new Error(`the program ended with ${code ?? signal}: ${this.#stderr}`);
  }

  /** Sends SIGKILL, so that the program cannot release anything. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exit;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}
