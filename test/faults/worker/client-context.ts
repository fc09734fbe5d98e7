import { setMaxListeners } from "node:events";
import { setTimeout } from "node:timers/promises";
import type { EtcdClient } from "../../../src/index.js";
import { randomFrom } from "../../support/random-from.js";
import type { Operation, Outcome, WorkloadContext } from "../workload.js";
import { errorText, outcomeOf } from "./outcome-of.js";

/** Rejects the turns of a client when the run is over. */
export class RunOver extends Error {
  override readonly name = "RunOver";
}

export interface ContextSettings {
  readonly etcd: EtcdClient;
  readonly client: number;
  readonly clients: number;
  readonly workload: string;
  readonly seed: number;
  readonly turnMs: number;
  readonly record: (operation: Operation) => void;
  readonly over: AbortSignal;
}

/** One client of one workload. */
export class ClientContext implements WorkloadContext {
  readonly etcd: EtcdClient;
  readonly client: number;
  readonly clients: number;
  readonly directory: string;
  readonly over: AbortSignal;
  readonly random: () => number;
  readonly #pace: () => number;
  readonly #settings: ContextSettings;
  #nextTurn = performance.now();

  constructor(settings: ContextSettings) {
    const { workload, client, seed } = settings;
    this.etcd = settings.etcd;
    this.client = client;
    this.clients = settings.clients;
    this.directory = `/${workload}`;
    this.over = settings.over;
    this.#settings = settings;
    setMaxListeners(0, this.over);
    const own = seedOf(`${seed} ${workload} ${client}`);
    this.random = randomFrom(own);
    // Its own sequence: the number of turns depends on time, and must not change the operations.
    this.#pace = randomFrom(own + 1);
  }

  // Workloads take the methods from their context, so these are bound.
  readonly operate = async <T>(
    operation: Pick<Operation, "kind" | "key" | "input">,
    run: () => Promise<T>,
    output?: (result: T) => unknown,
  ): Promise<{ readonly outcome: Outcome; readonly result?: T }> => {
    const invokedAt = now();
    try {
      const result = await run();
      const ended = { invokedAt, completedAt: after(invokedAt), outcome: "ok" } as const;
      this.#record({ ...operation, ...ended, output: output?.(result) });
      return { outcome: "ok", result };
    } catch (error) {
      const outcome = outcomeOf(error);
      const ended = { invokedAt, completedAt: after(invokedAt), outcome };
      this.#record({ ...operation, ...ended, error: errorText(error) });
      return { outcome };
    }
  };

  readonly observe = (kind: string, key: string, output: unknown): void => {
    const at = now();
    this.#record({ kind, key, output, outcome: "ok", invokedAt: at, completedAt: at });
  };

  readonly turn = async (): Promise<void> => {
    const wait = this.#settings.turnMs * (0.5 + this.#pace());
    // Turns that passed during a long operation are lost: a burst after a fault would hide it.
    this.#nextTurn = Math.max(performance.now(), this.#nextTurn + wait);
    const left = this.#nextTurn - performance.now();
    await setTimeout(left, undefined, { signal: this.over }).catch(() => {});
    if (this.over.aborted) throw new RunOver();
  };

  #record(operation: Omit<Operation, "workload" | "client">): void {
    const { workload, client } = this.#settings;
    this.#settings.record({ workload, client, ...operation });
  }
}

/** Nanoseconds of the machine's monotonic clock. */
export function now(): number {
  return Number(process.hrtime.bigint());
}

/** Operations take time; only observations begin and end at once. */
function after(invokedAt: number): number {
  return Math.max(now(), invokedAt + 1);
}

/** FNV-1a. */
function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  return hash;
}
