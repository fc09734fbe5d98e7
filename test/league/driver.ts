/** The process of a client: see `drivers/lines.mjs`. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Notice } from "./judge.js";

const STDERR_TAIL_CHARACTERS = 300;

/** A program and its arguments, without the URL, which is the last one. */
export interface DriverCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** How an operation ended. */
export interface Outcome {
  /** Text of the error; absent if the operation succeeded. */
  readonly error?: string;
}

type Line =
  | (Outcome & { readonly id: number })
  | { readonly event: string }
  | { readonly notice: Notice["kind"]; readonly text: string };

export class Driver {
  /** Values of the events of the watch, in the order of their delivery. */
  readonly events: string[] = [];
  /** What the client reported about the watch. */
  readonly notices: Notice[] = [];
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, (outcome: Outcome) => void>();
  #lastId = 0;
  #stderr = "";

  constructor({ file, args, env }: DriverCommand, url: string) {
    const child = spawn(file, [...args, url], { env: { ...process.env, ...env } });
    this.#child = child;
    child.stdin.on("error", () => {});
    child.stderr.on("data", (text) => {
      this.#stderr = `${this.#stderr}${text}`.slice(-STDERR_TAIL_CHARACTERS);
    });
    child.on("error", ({ message }) => this.#onEnd(message));
    child.on("close", () => this.#onEnd(this.#stderr));
    createInterface({ input: child.stdout }).on("line", (line) => this.#onLine(JSON.parse(line)));
  }

  /** Runs an operation. Resolves when the client has ended it. */
  ask(op: "get" | "add" | "swap" | "watch", parameters: object): Promise<Outcome> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      this.#pending.set(id, resolve);
      this.#child.stdin?.write(`${JSON.stringify({ id, op, ...parameters })}\n`);
    });
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const closed = once(this.#child, "close");
    this.#child.kill("SIGKILL");
    await closed;
  }

  #onLine(line: Line): void {
    if ("event" in line) this.events.push(line.event);
    else if ("notice" in line) this.notices.push({ kind: line.notice, text: line.text });
    else this.#settle(line.id, line);
  }

  #settle(id: number, { error }: Outcome): void {
    this.#pending.get(id)?.(error === undefined ? {} : { error });
    this.#pending.delete(id);
  }

  #onEnd(reason: string): void {
    const error = `the process ended: ${reason}`;
    this.notices.push({ kind: "error", text: error });
    for (const id of this.#pending.keys()) this.#settle(id, { error });
  }
}
