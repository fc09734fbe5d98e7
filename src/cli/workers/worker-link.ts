import cluster, { type Worker } from "node:cluster";
import type { V2Handler } from "../../server/http/message.js";
import { PROMETHEUS_TYPE } from "../../server/metrics/prometheus-text.js";
import type { ToParent, ToWorker } from "./messages.js";

/** Longer than the parent waits for its workers. A scrape then shows this worker alone. */
const ASK_TIMEOUT_MS = 3_000;

/**
 * The connection of a worker to its parent. The parent alone reacts to signals: a terminal and systemd send them to all
 * processes, and a second one would end the worker at once. Node ends a worker whose parent is gone.
 */
export class WorkerLink {
  /** Of this process, if it is one of several workers. */
  static open(workers: number): WorkerLink | undefined {
    const { worker } = cluster;
    return workers > 1 && worker !== undefined ? new WorkerLink(worker) : undefined;
  }

  /** Resolves when the gateway has to end. */
  readonly shutdown: Promise<void>;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, (text: string) => void>();
  #asked = 0;
  #onShutdown: () => void = () => {};
  #onReload: () => void = () => {};
  #own: () => Promise<string> = async () => "";

  private constructor(worker: Worker) {
    this.#worker = worker;
    this.shutdown = new Promise((resolve) => {
      this.#onShutdown = resolve;
    });
    worker.on("message", (message: ToWorker) => void this.#take(message));
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  }

  set onReload(reload: () => void) {
    this.#onReload = reload;
  }

  /** Tells the parent that the gateway listens. */
  listens(url: string): void {
    this.#send({ kind: "listens", url });
  }

  /** Serves the metrics of all workers, since a client does not choose the worker that gets its request. */
  around(handler: V2Handler): V2Handler {
    const { signal } = new AbortController();
    const own = { method: "GET", target: "/metrics", headers: {}, body: async () => "", signal };
    this.#own = async () => {
      const { body } = await handler(own);
      return typeof body === "string" ? body : "";
    };
    return async (request) => {
      const reply = await handler(request);
      const { headers, body } = reply;
      if (typeof body !== "string" || !headers.includes(PROMETHEUS_TYPE)) return reply;
      return { ...reply, body: (await this.#ask(body)) ?? body };
    };
  }

  /** The metrics of all workers; `undefined`: the parent does not respond. @param text those of this one */
  #ask(text: string): Promise<string | undefined> {
    const id = ++this.#asked;
    return new Promise((resolve) => {
      const finish = (all: string | undefined): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(all);
      };
      const timer = setTimeout(() => finish(undefined), ASK_TIMEOUT_MS);
      this.#waiting.set(id, finish);
      this.#send({ kind: "ask", id, text });
    });
  }

  async #take(message: ToWorker): Promise<void> {
    switch (message.kind) {
      case "shutdown":
        this.#onShutdown();
        break;
      case "reload":
        this.#onReload();
        break;
      case "metrics":
        this.#waiting.get(message.id)?.(message.text);
        break;
      case "collect":
        this.#send({ kind: "collected", id: message.id, text: await this.#own() });
    }
  }

  #send(message: ToParent): void {
    if (this.#worker.isConnected()) this.#worker.send(message);
  }
}
