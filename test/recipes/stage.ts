/** Runs recipes on the memory key space, with clocks that the test advances. */

import { getEventListeners } from "node:events";
import { setImmediate } from "node:timers/promises";
import { EtcdClient } from "../../src/client/etcd-client.js";
import { AbortError } from "../../src/errors/abort-error.js";
import { OutcomeUnknownError } from "../../src/errors/cluster-errors.js";
import { KeyNotFoundError } from "../../src/errors/common-errors.js";
import type { CallOptions } from "../../src/key-space/call-options.js";
import type { KeySpace, KeyWatch } from "../../src/key-space/key-space.js";
import { MemoryKeySpace } from "../../src/key-space/memory/memory-key-space.js";
import type { SubscribeRequest, Subscription } from "../../src/key-space/subscription.js";
import type { KeyRequest, WatchRequest } from "../../src/model/key-request.js";
import type { EtcdResponse } from "../../src/model/response.js";
import type { Clock } from "../../src/time/clock.js";
import { sleep } from "../../src/time/sleep.js";
import { memoryWatchRequests } from "../support/memory-watch-requests.js";
import { WatchSessionSubscriptions } from "../support/watch-session-subscription.js";

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

/** A monotonic clock and a wall clock, which can diverge, and timers that can be held back. */
class StageClock implements Clock {
  #monotonic = 1_000;
  #wall = Date.UTC(2030, 0, 1);
  readonly #timers = new Set<Timer>();

  readonly now = (): number => this.#wall;
  readonly monotonic = (): number => this.#monotonic;

  after(milliseconds: number, callback: () => void): () => void {
    const timer = { due: this.#monotonic + milliseconds, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Number of pending timers. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Advances the clocks without running timers, as if the process were paused. */
  jump({ monotonic = 0, wall = 0 }: { readonly monotonic?: number; readonly wall?: number }): void {
    this.#monotonic += monotonic;
    this.#wall += wall;
  }

  /** Advances the clocks step by step, and runs due timers and their callbacks. */
  async pass(milliseconds: number): Promise<void> {
    await settle();
    const end = this.#monotonic + milliseconds;
    for (let due = this.#due(); due <= end; due = this.#due()) {
      this.#advanceTo(due);
      for (const timer of [...this.#timers]) {
        if (timer.due <= this.#monotonic && this.#timers.delete(timer)) timer.callback();
      }
      await settle();
    }
    this.#advanceTo(end);
  }

  #due(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...[...this.#timers].map(({ due }) => due));
  }

  #advanceTo(monotonic: number): void {
    const step = Math.max(0, monotonic - this.#monotonic);
    this.jump({ monotonic: step, wall: step });
  }
}

/** Resolves after all pending callbacks that do not wait for a timer. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await setImmediate();
}

/**
 * What happens to a request in the network: it fails before or after it takes effect, its response is
 * late, or it is delayed until a promise resolves.
 */
export type Fate =
  | { readonly fail: Error }
  | "response lost"
  | "request lost"
  | { readonly respondAfter: number }
  | { readonly holdUntil: Promise<void> }
  | { readonly arriveWhen: Promise<void> };

/** A key space behind a network that can fail. */
class FaultyKeySpace implements KeySpace {
  readonly #inner: MemoryKeySpace;
  readonly #subscriptions: WatchSessionSubscriptions;
  readonly #clock: Clock;
  readonly #clusterClock: Clock;
  readonly requests: KeyRequest[] = [];
  readonly #open = new Set<KeyWatch>();
  fate: (request: KeyRequest) => Fate | undefined = () => undefined;

  constructor(inner: MemoryKeySpace, clock: Clock, clusterClock: Clock) {
    const requests = memoryWatchRequests(
      () => inner,
      (request, options) => this.openWatch(request, options),
    );
    this.#inner = inner;
    this.#subscriptions = new WatchSessionSubscriptions(this, requests, clock);
    this.#clock = clock;
    this.#clusterClock = clusterClock;
  }

  async execute(request: KeyRequest, options?: CallOptions): Promise<EtcdResponse> {
    this.requests.push(request);
    const fate = this.fate(request);
    const go = (): Promise<EtcdResponse> => this.#inner.execute(request, options);
    if (fate === undefined) return go();
    if (fate === "response lost") await go();
    if (typeof fate === "string") throw unknown(request);
    if ("fail" in fate) throw fate.fail;
    if ("holdUntil" in fate) return fate.holdUntil.then(go);
    if ("arriveWhen" in fate) {
      void fate.arriveWhen.then(this.#arriveLate(request)).catch(() => {});
      throw unknown(request);
    }
    const response = await go();
    await sleep(fate.respondAfter, this.#clock, options?.signal).catch(({ cause }) => {
      throw new AbortError(request.key, cause, request.action === "get" ? "none" : "unknown");
    });
    return response;
  }

  /** The member that received the request computed the expiration time from the TTL at that time. */
  #arriveLate(request: KeyRequest): () => Promise<unknown> {
    const takenAt = this.#clusterClock.now();
    return () => {
      if (!("ttl" in request) || request.ttl === undefined) return this.#inner.execute(request);
      const ttl = request.ttl - (this.#clusterClock.now() - takenAt) / 1000;
      return this.#inner.execute({ ...request, ttl } as KeyRequest);
    };
  }

  async openWatch(request: WatchRequest, options?: CallOptions): Promise<KeyWatch> {
    const watch = await this.#inner.openWatch(request, options);
    this.#open.add(watch);
    return watch;
  }

  subscribe(request: SubscribeRequest, { signal }: CallOptions = {}): Subscription {
    return this.#subscriptions.open(request, signal);
  }

  /** Closes all open watches. */
  async cut(): Promise<void> {
    for (const watch of this.#open) watch.close();
    this.#open.clear();
    await settle();
  }

  /** Closes the connection, not the key space behind it. */
  async close(): Promise<void> {
    this.fate = () => ({ fail: new TypeError("the client is closed") });
    this.#subscriptions.close();
  }
}

function unknown({ action, key }: KeyRequest): OutcomeUnknownError {
  return new OutcomeUnknownError(`${action} ${key}`, "memory:", new Error("cut"));
}

/** A cluster and processes that use it, each with a clock of its own. */
export class Stage {
  /** The cluster's clock. */
  readonly clock = new StageClock();
  readonly memory = new MemoryKeySpace({ clock: this.clock });
  readonly #processes: StageProcess[] = [];

  /** Adds a process with a client. */
  process(): StageProcess {
    const clock = new StageClock();
    const way = new FaultyKeySpace(this.memory, clock, this.clock);
    const process = { clock, way, etcd: new EtcdClient({ keySpace: way, clock }) };
    this.#processes.push(process);
    return process;
  }

  /** Advances the cluster and all processes. Paused processes run no timers. */
  async pass(milliseconds: number, ...paused: readonly StageProcess[]): Promise<void> {
    const awake = this.#processes.filter((process) => !paused.includes(process));
    for (let step = 0; step < milliseconds; step += STEP) {
      for (const { clock } of [this, ...awake])
        await clock.pass(Math.min(STEP, milliseconds - step));
    }
    for (const { clock } of paused) clock.jump({ monotonic: milliseconds, wall: milliseconds });
  }

  /** The visible keys of a directory, with their values. */
  async list(key: string): Promise<Readonly<Record<string, string | undefined>>> {
    const { node } = await this.memory.execute({ action: "get", key, sorted: true });
    return Object.fromEntries((node.nodes ?? []).map((child) => [child.key, child.value]));
  }

  async value(key: string): Promise<string | undefined> {
    try {
      return (await this.memory.execute({ action: "get", key })).node.value;
    } catch (error) {
      if (error instanceof KeyNotFoundError) return undefined;
      throw error;
    }
  }

  /** Number of watches in the cluster, and timers and listeners in processes, that recipes have not released. */
  get leftovers(): number {
    const inProcesses = this.#processes.map(({ clock, etcd }) => {
      return clock.pending + getEventListeners(etcd.closed, "abort").length;
    });
    return inProcesses.reduce((a, b) => a + b, this.memory.stats.watchers);
  }
}

export interface StageProcess {
  readonly clock: StageClock;
  readonly way: FaultyKeySpace;
  readonly etcd: EtcdClient;
}

/** Milliseconds by which all clocks advance together. */
const STEP = 50;
