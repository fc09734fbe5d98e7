import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { SimulatedClock } from "../../../test/support/simulated-clock.js";
import { ClusterUnavailableError } from "../../errors/cluster-errors.js";
import type { KeyRequest, WatchRequest } from "../../model/key-request.js";
import type { EtcdResponse } from "../../model/response.js";
import type { KeySpace, KeyWatch } from "../key-space.js";
import { MemoryKeySpace } from "../memory/memory-key-space.js";
import { WatchWithEvents } from "../shared/watch-decorator.js";
import type { SubscribeRequest, Subscription } from "../subscription.js";
import { CachingKeySpace, MAX_AGE_MS } from "./caching-key-space.js";

/** A key space whose watches can be silenced, as on a dead connection. */
class Backend implements KeySpace {
  readonly memory = new MemoryKeySpace();
  readonly asked: KeyRequest[] = [];
  silent = false;
  failing = false;

  async execute(request: KeyRequest): Promise<EtcdResponse> {
    this.asked.push(request);
    return await this.memory.execute(request);
  }

  async openWatch(request: WatchRequest): Promise<KeyWatch> {
    if (this.failing) throw new ClusterUnavailableError("GET /?wait=true", []);
    const watch = await this.memory.openWatch(request);
    return new WatchWithEvents(watch, this.#unlessSilent(watch));
  }

  subscribe(request: SubscribeRequest): Subscription {
    return this.memory.subscribe(request);
  }

  close(): Promise<void> {
    return this.memory.close();
  }

  async *#unlessSilent(watch: KeyWatch): AsyncGenerator<EtcdResponse, undefined, undefined> {
    for await (const event of watch) if (!this.silent) yield event;
    return undefined;
  }
}

const clock = new SimulatedClock();
let backend: Backend;
let cached: CachingKeySpace;
beforeEach(async () => {
  backend = new Backend();
  await backend.memory.execute({ action: "set", key: "/a", value: "1" });
  cached = new CachingKeySpace(backend, clock);
  await read("/a");
  await setImmediate();
});
afterEach(() => cached.close());

async function read(key: string): Promise<string | undefined> {
  const answer = await cached.execute({ action: "get", key }).catch(() => undefined);
  return answer?.node.value;
}

/** Number of reads that reach the inner key space. */
async function cost(...keys: readonly string[]): Promise<number> {
  backend.asked.length = 0;
  for (const key of keys) await read(key);
  return backend.asked.length;
}

it("keeps responses and errors until something changes", async () => {
  expect(await cost("/a", "/a", "/none", "/none", "/a")).toBe(2);
  await backend.memory.execute({ action: "set", key: "/b", value: "1" });
  await setImmediate();
  expect(await cost("/a", "/none")).toBe(2);
});

it("delivers a change to watchers only when a read returns it", async () => {
  const watch = await cached.openWatch({ key: "/", recursive: true, stream: true });
  await read("/a");
  await backend.memory.execute({ action: "set", key: "/a", value: "2" });
  for await (const event of watch) {
    expect(event.node.value).toBe("2");
    expect(await read("/a")).toBe("2");
    break;
  }
});

it("keeps nothing longer than its limit, even if its watch is silent", async () => {
  await read("/a");
  backend.silent = true;
  await backend.memory.execute({ action: "set", key: "/a", value: "2" });
  await clock.pass(MAX_AGE_MS - 1);
  expect(await read("/a")).toBe("1");
  await clock.pass(1);
  expect(await read("/a")).toBe("2");
});

it("counts the age from the start of the read", async () => {
  let resolve: (answer: EtcdResponse) => void = () => {};
  const promise = new Promise<EtcdResponse>((settle) => {
    resolve = settle;
  });
  const stale = await backend.memory.execute({ action: "get", key: "/a" });
  await backend.memory.execute({ action: "set", key: "/b", value: "1" });
  await setImmediate();
  const execute = backend.execute.bind(backend);
  backend.execute = () => promise;
  const first = read("/a");
  backend.execute = execute;
  backend.silent = true;
  await backend.memory.execute({ action: "set", key: "/a", value: "2" });
  await clock.pass(MAX_AGE_MS);
  resolve(stale);
  expect(await first).toBe("1");
  expect(await read("/a")).toBe("2");
});

it("reads with quorum, with and without a watch", async () => {
  await cost("/a");
  expect(await cost("/c")).toBe(1);
  expect(backend.asked).toEqual([{ action: "get", key: "/c", quorum: true }]);
  const alone = new CachingKeySpace(backend, clock);
  backend.failing = true;
  backend.asked.length = 0;
  await alone.execute({ action: "get", key: "/a" });
  expect(backend.asked).toEqual([{ action: "get", key: "/a", quorum: true }]);
});

it("without a watch, shares concurrent reads and keeps no response", async () => {
  backend.failing = true;
  const alone = new CachingKeySpace(backend, clock);
  const get = () => alone.execute({ action: "get", key: "/a" });
  backend.asked.length = 0;
  await Promise.all([get(), get(), get()]);
  expect(backend.asked).toHaveLength(1);
  await get();
  expect(backend.asked).toHaveLength(2);
});

it("keeps a limited number of responses, the last used ones", async () => {
  const names = Array.from({ length: 999 }, (_, number) => `/none/${number}`);
  await cost("/a", ...names);
  expect(await cost("/a", ...names)).toBe(0);
  expect(await cost("/a", "/none/new", "/a", ...names.slice(1))).toBe(1);
  expect(await cost("/none/0")).toBe(1);
});

it("keeps no response for a very long key", async () => {
  const long = `/${"x".repeat(2_000)}`;
  expect(await cost(long, long)).toBe(2);
});

it("reads again what it is told to forget, also when the watch reports nothing", async () => {
  await read("/a");
  backend.silent = true;
  await backend.memory.execute({ action: "set", key: "/a", value: "2" });
  expect(await read("/a")).toBe("1");
  cached.forget();
  expect(await read("/a")).toBe("2");
});
