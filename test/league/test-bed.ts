/** An etcd, a fault proxy in front of it, and a client that uses etcd through the proxy. */

import { setTimeout as sleep } from "node:timers/promises";
import { findEtcd, type Release } from "../../scripts/etcd-binaries.mjs";
import { type EtcdProcess, startEtcdProcess } from "../../scripts/etcd-process.mjs";
import { createGateway } from "../../src/server/index.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { Driver, type DriverCommand } from "./driver.js";
import { type Store, V2Store, V3Store } from "./store.js";

/**
 * What a client talks to. `v2`, `v3`: an etcd, through the proxy. `gateway`: a gateway, through the
 * proxy. `behind gateway`: a gateway that reaches etcd through the proxy.
 */
export type ServerKind = "v2" | "v3" | "gateway" | "behind gateway";

/** The latest releases that serve each API. */
export const RELEASES = { v2: "3.5", v3: "3.7" } as const;

const POLL_EVERY_MS = 20;
const READY_WITHIN_MS = 30_000;
const READY_KEY = "/ready";

/** Where the proxy is. */
interface Arrangement {
  readonly proxy: FaultProxy;
  /** The URL that the client gets. */
  readonly url: string;
  /** The state of etcd. */
  readonly store: Store;
  /** The server that the client talks to, without the proxy. */
  readonly front: Store;
  /** The server that the proxy forwards to. */
  readonly proxied: Store;
}

export class TestBed implements AsyncDisposable {
  readonly proxy: FaultProxy;
  readonly store: Store;
  readonly driver: Driver;
  readonly #arrangement: Arrangement;
  readonly #started: Started;

  static async start(kind: ServerKind, command: DriverCommand): Promise<TestBed> {
    const started = new Started();
    try {
      const api = kind === "v2" ? "v2" : "v3";
      const etcd = await startEtcdProcess({ binary: binaryOf(RELEASES[api]), v2: api === "v2" });
      started.push(() => etcd.remove());
      const arrangement = await arrange(kind, etcd, started);
      await arrangement.store.set(READY_KEY, "");
      return new TestBed(arrangement, command, started);
    } catch (error) {
      await started.stop();
      throw error;
    }
  }

  private constructor(arrangement: Arrangement, command: DriverCommand, started: Started) {
    this.proxy = arrangement.proxy;
    this.store = arrangement.store;
    this.driver = new Driver(command, arrangement.url);
    this.#arrangement = arrangement;
    this.#started = started;
    started.push(() => this.driver.end());
  }

  /** Number of watches of the client that wait for events. */
  watches(): Promise<number> {
    return this.#arrangement.front.watches();
  }

  /** Number of watches whose events pass the proxy. */
  proxiedWatches(): Promise<number> {
    return this.#arrangement.proxied.watches();
  }

  /** Waits until a read of the client succeeds: it then has a connection that works. */
  async untilConnected(): Promise<void> {
    const isConnected = async () => {
      const { error } = await this.driver.ask("get", { key: READY_KEY });
      return error === undefined;
    };
    if (!(await until(isConnected, READY_WITHIN_MS))) throw new Error("the client cannot read");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#started.stop();
  }
}

/** Polls a condition. Resolves with whether it was met in time. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  limitMs: number,
): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > deadline) return false;
    await sleep(POLL_EVERY_MS);
  }
  return true;
}

/** What must be stopped, in reverse order. */
class Started {
  readonly #stops: (() => Promise<unknown>)[] = [];

  push(stop: () => Promise<unknown>): void {
    this.#stops.push(stop);
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.toReversed()) await stop();
  }
}

async function arrange(
  kind: ServerKind,
  etcd: EtcdProcess,
  started: Started,
): Promise<Arrangement> {
  const store = kind === "v2" ? new V2Store(etcd.url) : new V3Store(etcd.url);
  if (kind === "gateway") {
    const url = await startGateway(etcd.url, started);
    const [front, proxy] = [new V2Store(url), await startProxy(url, started)];
    return { proxy, url: proxy.url, store, front, proxied: front };
  }
  const proxy = await startProxy(etcd.url, started);
  if (kind === "behind gateway") {
    const url = await startGateway(proxy.url, started);
    return { proxy, url, store, front: new V2Store(url), proxied: store };
  }
  return { proxy, url: proxy.url, store, front: store, proxied: store };
}

async function startProxy(url: string, started: Started): Promise<FaultProxy> {
  const proxy = await FaultProxy.before(url);
  started.push(() => proxy.close());
  return proxy;
}

async function startGateway(url: string, started: Started): Promise<string> {
  const gateway = await createGateway({ etcd: { endpoints: url } });
  started.push(() => gateway.close());
  return gateway.url;
}

function binaryOf(release: Release): string {
  const etcd = findEtcd(release);
  if ("missing" in etcd) throw new Error(`etcd ${release} is missing: ${etcd.missing}`);
  return etcd.path;
}
