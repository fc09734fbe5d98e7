import { Watermark } from "../../src/key-space/shared/watermark.js";
import type { AnyNode, EtcdNode } from "../../src/model/node.js";
import type { Action, EtcdResponse } from "../../src/model/response.js";
import type { WatchItem, WatchResync } from "../../src/model/watch-item.js";
import type { RecipeClient } from "../../src/recipes/shared/recipe-client.js";
import { AsyncQueue } from "../../src/stream/async-queue.js";
import type { Watcher, WatchOptions } from "../../src/watch/watcher.js";
import { SimulatedClock } from "./simulated-clock.js";

/** A watcher that delivers the items that the test gives it. */
export class ScriptedWatcher implements Watcher {
  readonly key: string;
  readonly options: WatchOptions;
  index = 0;
  currentAt: number | undefined;
  readonly lastError = undefined;
  readonly #proven = new Watermark();
  readonly #items = new AsyncQueue<WatchItem>();

  constructor(key: string, options: WatchOptions) {
    this.key = key;
    this.options = options;
    options.signal?.addEventListener("abort", () => this.fail(new Error("aborted")));
  }

  get closed(): boolean {
    return this.#items.ended;
  }

  deliver(...items: readonly WatchItem[]): void {
    for (const item of items) this.#items.put(item);
  }

  fail(error: Error): void {
    this.#items.end(error);
  }

  /** Resolves when {@link prove} has reached the index. */
  reached(index: number): Promise<void> {
    return new Promise((resolve) => void this.#proven.whenReached(index, resolve));
  }

  /** Makes the watch prove that it has delivered every change up to an index. */
  prove(index: number): void {
    this.index = index;
    this.#proven.set(index);
  }

  close(): void {
    this.#items.discard();
  }

  next(): Promise<IteratorResult<WatchItem, undefined>> {
    return this.#items.next();
  }

  async return(): Promise<IteratorResult<WatchItem, undefined>> {
    this.close();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}

/** A client with scripted watches and a clock that the test advances. */
export class ScriptedClient implements RecipeClient {
  readonly clock = new SimulatedClock();
  readonly watchers: ScriptedWatcher[] = [];
  readonly #closing = new AbortController();

  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  /** The watcher that was opened last. */
  get watcher(): ScriptedWatcher {
    const watcher = this.watchers.at(-1);
    if (watcher === undefined) throw new Error("no watch was opened");
    return watcher;
  }

  watch(key: string, options: WatchOptions = {}): ScriptedWatcher {
    const watcher = new ScriptedWatcher(key, options);
    this.watchers.push(watcher);
    return watcher;
  }

  execute(): Promise<EtcdResponse> {
    return Promise.reject(new Error("this client executes no requests"));
  }

  close(): void {
    this.#closing.abort(new Error("the client was closed"));
  }
}

export const file = (key: string, value: string, index: number, more = {}): EtcdNode => ({
  ...{ key, value, modifiedIndex: index, createdIndex: index, ...more },
});

export const directory = (key: string, index: number, nodes?: readonly EtcdNode[]): EtcdNode => ({
  ...{ key, dir: true, modifiedIndex: index, createdIndex: index, ...(nodes && { nodes }) },
});

export const change = (action: Action, node: AnyNode, prevNode?: EtcdNode): WatchItem => ({
  type: "change",
  response: { ...responseOf(action, node), ...(prevNode && { prevNode }) },
});

export const removal = (action: Action, prevNode: EtcdNode, index: number) => {
  const { key, dir, createdIndex } = prevNode;
  const node = { key, ...(dir && { dir }), modifiedIndex: index, createdIndex };
  return change(action, node, prevNode);
};

export const resync = (
  node: EtcdNode | null,
  index: number,
  reason: WatchResync["reason"] = "initial",
  etcdClusterId = "cafe",
): WatchResync => ({
  type: "resync",
  reason,
  response: node && responseOf("get", node),
  index,
  etcdClusterId,
  etcdServer: "memory:",
});

function responseOf(action: Action, node: AnyNode): EtcdResponse {
  const origin = { etcdServer: "memory:", etcdClusterId: "cafe", raftIndex: 0, raftTerm: 0 };
  return { action, node, etcdIndex: node.modifiedIndex, ...origin };
}

/** Resolves after all pending callbacks that do not wait for a timer. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
