import { KeyNotFoundError } from "../../src/errors/common-errors.js";
import type { KeySpace } from "../../src/key-space/key-space.js";
import type { KeyRequest } from "../../src/model/key-request.js";
import type { RecipeClient } from "../../src/recipes/recipe-client.js";
import type { Clock } from "../../src/time/clock.js";
import { concerns } from "../../src/watch/concerns.js";
import type { WatchItem } from "../../src/watch/watch-item.js";
import type { Watcher, WatchOptions } from "../../src/watch/watcher.js";

export class SimpleClient implements RecipeClient {
  readonly #closing = new AbortController();
  constructor(
    readonly keySpace: KeySpace,
    readonly clock: Clock,
  ) {}
  get closed() {
    return this.#closing.signal;
  }
  async close() {
    this.#closing.abort(new Error("the client was closed"));
  }
  async execute(request: KeyRequest, options = {}) {
    if (this.closed.aborted) throw new TypeError("the client is closed");
    return this.keySpace.execute(request, options);
  }
  watch(key: string, options: WatchOptions = {}): Watcher {
    const stop = new AbortController();
    const signals = [stop.signal, this.closed, ...(options.signal ? [options.signal] : [])];
    const items = this.#items(key, options, AbortSignal.any(signals));
    return Object.assign(items, {
      index: 0,
      contactAt: undefined,
      close: () => stop.abort(),
    }) as unknown as Watcher;
  }
  async *#items(
    key: string,
    { recursive = false, from, initial }: WatchOptions,
    signal: AbortSignal,
  ): AsyncGenerator<WatchItem> {
    let waitIndex = from ?? 0;
    if (initial) {
      const item = await this.#read(key);
      waitIndex = item.index + 1;
      yield item;
    }
    while (!signal.aborted) {
      try {
        const request = waitIndex === 0 ? { key, recursive } : { key, recursive, waitIndex };
        const watch = await this.keySpace.openWatch(request, { signal });
        if (waitIndex === 0) waitIndex = watch.etcdIndex + 1;
        for await (const response of watch) {
          waitIndex = response.node.modifiedIndex + 1;
          if (concerns({ key, recursive }, response)) yield { type: "change", response };
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  }
  async #read(key: string) {
    const base = { type: "resync", reason: "initial", etcdClusterId: "x" } as const;
    try {
      const response = await this.keySpace.execute({ action: "get", key, recursive: true });
      return { ...base, response, index: response.etcdIndex };
    } catch (error) {
      if (!(error instanceof KeyNotFoundError)) throw error;
      return { ...base, response: null, index: error.index };
    }
  }
}
