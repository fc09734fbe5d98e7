import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import type { HostNames } from "./host-names.js";
import type { WorkerOrder, WorkerSettings } from "./worker/settings.js";

/** Time that a worker has to end by itself after its clients were closed. */
const EXIT_WITHIN_MS = 10_000;

/** The rig's side of a worker. */
export class WorkerProcess {
  readonly settings: WorkerSettings;
  /** Rejects when the process ends before it has closed its clients. */
  readonly died: Promise<never>;
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #orders = 0;
  #isClosed = false;
  #stderr = "";

  constructor(script: string, settings: WorkerSettings, names: HostNames) {
    this.settings = settings;
    this.#child = fork(script, [JSON.stringify(settings)], {
      stdio: ["ignore", "inherit", "pipe", "ipc"],
      execArgv: ["--enable-source-maps", ...names.nodeArgs],
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.#child.on("message", ({ id, result }: { id: number; result: unknown }) => {
      this.#waiting.get(id)?.(result);
      this.#waiting.delete(id);
    });
    this.#exit = once(this.#child, "close");
    this.died = this.#exit.then(() => {
      if (this.#isClosed) return new Promise<never>(() => {});
      throw new Error(`the worker of clients ${this.names} died: ${this.#stderr}`);
    });
    this.died.catch(() => {});
  }

  async order(order: WorkerOrder): Promise<unknown> {
    const id = ++this.#orders;
    const result = new Promise((resolve) => this.#waiting.set(id, resolve));
    this.#child.send({ id, order });
    return await Promise.race([result, this.died]);
  }

  /** Closes the clients and waits for the process to end. @returns what it left behind */
  async close(): Promise<readonly string[]> {
    const kept = (await this.order({ kind: "close" })) as readonly string[];
    this.#isClosed = true;
    const faults = kept.map((resource) => `clients ${this.names} left ${resource}`);
    const timer = new AbortController();
    const late = setTimeout(EXIT_WITHIN_MS, "late", { signal: timer.signal }).catch(() => "");
    const isLate = (await Promise.race([this.#exit, late])) === "late";
    timer.abort();
    if (isLate) faults.push(`the worker of clients ${this.names} did not end by itself`);
    const { exitCode } = this.#child;
    if (!isLate && exitCode !== 0) faults.push(`the worker ended with ${exitCode}`);
    if (this.#stderr !== "") faults.push(`clients ${this.names} wrote: ${this.#stderr}`);
    return faults;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  get names(): string {
    return this.settings.clients.map(({ number }) => number).join();
  }
}
