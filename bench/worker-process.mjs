// @ts-check
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A contender at work in a process of its own: a line of JSON as its command, one as its answer. */
export class WorkerProcess {
  #child;
  /** @type {AsyncIterator<string>} */
  #answers;

  /** @param {import("./contenders.mjs").Contender} contender @param {string} url of the server */
  constructor({ command: [file = "", ...args], env }, url) {
    this.#child = spawn(file, [...args, url], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, ...env },
    });
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /**
   * @param {string} command
   * @param {object} [parameters]
   * @returns {Promise<any>} the answer
   */
  async ask(command, parameters) {
    this.#child.stdin.write(`${JSON.stringify({ command, ...parameters })}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error(`${this.#child.spawnargs.join(" ")} ended without an answer`);
    return JSON.parse(value);
  }

  async end() {
    const ended = once(this.#child, "close");
    this.#child.stdin.end();
    await ended;
  }
}
