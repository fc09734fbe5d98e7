import { afterEach, expect } from "vitest";
import { type CutoverTarget, openTarget } from "../../src/cutover/open-target.js";
import { EtcdClient } from "../../src/index.js";
import type { ClusterApi } from "../../src/key-space/cluster-api.js";
import type { KeySpace } from "../../src/key-space/key-space.js";
import type { AnyNode } from "../../src/model/node.js";
import {
  createSourceGateway,
  type GatewaySourceOptions,
  type ServedGateway,
} from "../../src/server/index.js";
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

export interface RigOptions {
  /** URLs of the members of v2 as gateways see them. */
  readonly through?: (urls: readonly string[]) => Promise<string[]>;
  /** Called before the gateways start. */
  readonly prepare?: (source: EtcdClient) => Promise<void>;
  /** The gateways' own user on v2. */
  readonly user?: Pick<GatewaySourceOptions, "username" | "password">;
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
    { through = async (urls) => [...urls], prepare, user }: RigOptions = {},
  ): Promise<SwitchRig> {
    const old = keep(await startEtcd({ release: "3.4", members: 3 }));
    const next = keep(await startEtcd({ release: "3.7" }));
    const etcd = { urls: next.urls };
    const patient = { requestTimeout: 600_000, writeTimeout: 600_000, timeout: 600_000 };
    const client = keep(new EtcdClient({ urls: old.urls }));
    await prepare?.(client);
    const source = { urls: await through(old.urls), ...patient, ...user };
    const startGateway = async () => keep(await createSourceGateway({ source, etcd }));
    const gateways = await Promise.all(Array.from({ length: count }, startGateway));
    const target = keep(openTarget(etcd));
    await expect.poll(() => target.records.gateways()).toHaveLength(count);
    return {
      target,
      source: client,
      sourceUrls: old.urls,
      targetUrls: next.urls,
      gateways: gateways as unknown as SwitchRig["gateways"],
      direct: () => keep(new EtcdClient({ urls: next.urls, api: "v3" })),
      startGateway,
    };
  }

  return { start, keep };
}

const keysBelow = ({ nodes = [] }: AnyNode): readonly string[] =>
  nodes.flatMap((node) => [node.key, ...keysBelow(node)]);

/** The same cluster. Something happens after each listing with a key in it. */
export function afterListing(
  { keySpace, auth }: EtcdClient,
  key: string,
  happens: () => Promise<void>,
): EtcdClient {
  const execute: KeySpace["execute"] = async (request, options) => {
    const response = await keySpace.execute(request, options);
    if (request.action === "get" && keysBelow(response.node).includes(key)) await happens();
    return response;
  };
  const watched = new Proxy(keySpace, {
    get(target, name) {
      if (name === "execute") return execute;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return new EtcdClient({ keySpace: watched, clusterApi: { auth } as ClusterApi });
}
