/** The process of some clients of a run under faults. Its argument is its settings, as JSON. */

import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { setImmediate, setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { EtcdClient } from "../../../src/index.js";
import type { Operation, Workload } from "../workload.js";
import { workloads } from "../workloads/index.js";
import { ClientContext, RunOver } from "./client-context.js";
import type { ClientSettings, WorkerOrder, WorkerSettings } from "./settings.js";
import { ShiftedClock } from "./shifted-clock.js";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

/** Resources of Node that a closed client must not keep. Others belong to the process, or to its pipes. */
const KEPT = /^(?:TCP|TLS|UDP|Timeout|Immediate|DNS|GetAddrInfo|Http2)/;
/** Time for sockets to close after `close()`, in ms. */
const CLOSED_WITHIN_MS = 5_000;

class Worker {
  readonly #settings: WorkerSettings;
  readonly #clients: readonly { number: number; etcd: EtcdClient; clock: ShiftedClock }[];
  readonly #history: ReturnType<typeof createWriteStream>;
  readonly #over = new AbortController();
  #runs: readonly Promise<void>[] = [];

  constructor(settings: WorkerSettings) {
    this.#settings = settings;
    this.#history = createWriteStream(settings.history);
    this.#clients = settings.clients.map(({ number, options }: ClientSettings) => {
      const clock = new ShiftedClock();
      return { number, clock, etcd: new EtcdClient({ ...options, clock }) };
    });
  }

  async execute(order: WorkerOrder): Promise<unknown> {
    switch (order.kind) {
      case "begin":
        this.#runs = this.#clients.flatMap(({ number, etcd }) =>
          workloads.map((workload) => this.#run(workload, etcd, number)),
        );
        return;
      case "shift-clock":
        for (const { number, clock } of this.#clients) {
          if (number === order.client) clock.shiftMs = order.ms;
        }
        return;
      case "measure-heap":
        return await heapInUse();
      case "end":
        this.#over.abort();
        await Promise.all(this.#runs);
        return;
      case "finish":
        return await this.#finish();
      case "close":
        return await this.#close();
    }
  }

  async #run(workload: Workload, etcd: EtcdClient, client: number): Promise<void> {
    const context = this.#context(workload, etcd, client, this.#over.signal);
    try {
      await workload.run(context);
    } catch (error) {
      if (!(error instanceof RunOver)) throw error;
    }
  }

  async #finish(): Promise<void> {
    const [first] = this.#clients;
    if (first === undefined) return;
    for (const workload of workloads) {
      const never = new AbortController().signal;
      await workload.finish?.(this.#context(workload, first.etcd, first.number, never));
    }
  }

  async #close(): Promise<readonly string[]> {
    await Promise.all(this.#clients.map(({ etcd }) => etcd.close()));
    this.#history.end();
    await once(this.#history, "close");
    const deadline = performance.now() + CLOSED_WITHIN_MS;
    while (kept().length > 0 && performance.now() < deadline) await setTimeout(20);
    return kept();
  }

  #context(workload: Workload, etcd: EtcdClient, client: number, over: AbortSignal) {
    const { allClients, seed, turnMs } = this.#settings;
    return new ClientContext({
      etcd,
      client,
      clients: allClients,
      workload: workload.name,
      seed,
      turnMs,
      over,
      record: (operation: Operation) => this.#history.write(`${JSON.stringify(operation)}\n`),
    });
  }
}

function kept(): readonly string[] {
  return process.getActiveResourcesInfo().filter((name) => KEPT.test(name));
}

async function heapInUse(): Promise<number> {
  collectGarbage();
  // Finalizers run in a later turn, and make more garbage.
  await setImmediate();
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

const [settings = ""] = process.argv.slice(2);
const worker = new Worker(JSON.parse(settings));
let isClosed = false;

process.on("message", async ({ id, order }: { id: number; order: WorkerOrder }) => {
  const result = await worker.execute(order);
  process.send?.({ id, result });
  if (order.kind !== "close") return;
  isClosed = true;
  // The process now ends by itself, unless a client has left something that holds it.
  process.disconnect();
});
process.on("disconnect", () => {
  if (!isClosed) process.exit(1);
});
