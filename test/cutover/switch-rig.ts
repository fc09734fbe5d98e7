import { afterEach, expect } from "vitest";
import { type CutoverTarget, openTarget } from "../../src/cutover/open-target.js";
import { EtcdClient } from "../../src/index.js";
import { createSourceGateway, type ServedGateway } from "../../src/server/index.js";
import { startEtcd } from "../support/etcd.js";

/** Milliseconds for which gateways may hold requests: long enough for a busy machine. */
export const HOLD_MS = 60_000;

/** Gateways in front of a v2 cluster, and the v3 cluster to which they can be switched. */
export interface SwitchRig {
  readonly target: CutoverTarget;
  readonly source: EtcdClient;
  readonly sourceUrls: readonly string[];
  readonly targetUrls: readonly string[];
  readonly gateways: readonly [ServedGateway, ...ServedGateway[]];
  /** A client of the v3 cluster. */
  direct(): EtcdClient;
  /** Another gateway. */
  startGateway(): Promise<ServedGateway>;
}

/** Starts rigs for the tests of a suite, and ends them after each test. */
export function useSwitchRigs() {
  const open: AsyncDisposable[] = [];
  afterEach(async () => {
    for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
  });

  const keep = <T extends AsyncDisposable>(resource: T): T => {
    open.push(resource);
    return resource;
  };

  async function start(
    count: number,
    through: (urls: readonly string[]) => Promise<string[]> = async (urls) => [...urls],
  ): Promise<SwitchRig> {
    const old = keep(await startEtcd({ release: "3.4", members: 3 }));
    const next = keep(await startEtcd({ release: "3.7" }));
    const etcd = { urls: next.urls };
    const patient = { requestTimeout: 600_000, writeTimeout: 600_000, timeout: 600_000 };
    const source = { urls: await through(old.urls), ...patient };
    const startGateway = async () => keep(await createSourceGateway({ source, etcd }));
    const gateways = await Promise.all(Array.from({ length: count }, startGateway));
    const target = keep(openTarget(etcd));
    await expect.poll(() => target.records.gateways()).toHaveLength(count);
    return {
      target,
      source: keep(new EtcdClient({ urls: old.urls })),
      sourceUrls: old.urls,
      targetUrls: next.urls,
      gateways: gateways as unknown as SwitchRig["gateways"],
      direct: () => keep(new EtcdClient({ urls: next.urls, api: "v3" })),
      startGateway,
    };
  }

  return { start, keep };
}
