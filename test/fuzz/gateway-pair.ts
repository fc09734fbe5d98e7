import { MemoryClusterApi } from "../../src/key-space/memory/memory-cluster-api.js";
import { MemoryKeySpace } from "../../src/key-space/memory/memory-key-space.js";
import { createV2Handler } from "../../src/server/create-v2-handler.js";
import { createGateway } from "../../src/server/gateway.js";
import { createSourceGateway } from "../../src/server/source-gateway.js";
import { startEtcd } from "../support/etcd.js";
import { passesNode } from "./deviations.js";
import type { Reply } from "./http-pipe.js";
import { meaningOf, type RawRequest } from "./request.js";
import { LocalServer, type Pair, RemoteServer, type Server } from "./servers.js";

/** Seconds of a TTL that ends after 2159, the last moment that the id of a lease can tell. */
const ENDLESS = 4_000_000_000;
/** Levels of a path that fit into one transaction. */
const DEEPEST = 60;
/** Indexes that are certainly still in etcd's history of 1,000. */
const REMEMBERED = 900;

/** A gateway, and a key space in memory that is told the same, to know what should be there. */
class ShadowedServer implements Server {
  readonly #server: Server;
  readonly #shadow: Server;

  constructor(server: Server, shadow: Server) {
    this.#server = server;
    this.#shadow = shadow;
  }

  async call(request: RawRequest): Promise<Reply> {
    await this.#shadow.call(request);
    return await this.#server.call(request);
  }

  open(request: RawRequest): Promise<Reply> {
    return this.#server.open(request);
  }
}

/** So that the history of etcd has no gaps. */
const LONG_LOG = ["--snapshot-count=1000000"];

/** Any page and any host, as etcd by default. */
const AS_ETCD = { cors: ["*"], allowedHosts: ["*"] };

/** A real etcd's own v2 API, and a gateway on the v3 API of an etcd that has no other. */
export async function startGatewayPair(): Promise<Pair> {
  const behind = await startEtcd({ release: "3.7" });
  const gateway = await createGateway({ etcd: { urls: behind.urls }, ...AS_ETCD });
  const pair = await pairOf(gateway, behind);
  await pair.oursBySocket.open({ method: "GET", target: "/v2/keys/_align?wait=true&waitIndex=1" });
  return pair;
}

/** A real etcd's own v2 API, and a gateway on that of another one. */
export async function startSourceGatewayPair(): Promise<Pair> {
  const behind = await startEtcd({ release: "3.4", args: LONG_LOG });
  const gateway = await createSourceGateway({ source: { urls: behind.urls }, ...AS_ETCD });
  const pair = await pairOf(gateway, behind);
  return {
    ...pair,
    // The history is etcd's own.
    history: () => [],
    passesEvents: true,
    createdIndexSurvives: false,
    takes: async (request) => passesNode(request) && !isBeyond(request),
  };
}

async function pairOf(
  gateway: { readonly url: string; close(): Promise<void> },
  behind: { stop(): Promise<void> },
): Promise<Pair> {
  const v2 = await startEtcd({ release: "3.4", args: LONG_LOG });
  const memory = new MemoryKeySpace();
  const handler = createV2Handler({
    keySpace: memory,
    clusterApi: new MemoryClusterApi(memory),
    authKeySpace: new MemoryKeySpace(),
    clusterId: async () => memory.clusterId,
    ...AS_ETCD,
  });
  const [etcd, shadow] = [new RemoteServer(v2.urls[0]), new LocalServer(handler)];
  const remote = new RemoteServer(gateway.url);
  const ours = new ShadowedServer(remote, shadow);
  const servers = [etcd, remote, shadow] as const;
  return {
    etcd,
    ours,
    oursBySocket: ours,
    index: () => memory.index,
    history: () => memory.snapshot().history,
    sweep: () => {},
    createdIndexSurvives: true,
    takes: (request) => takes(request, memory),
    align: () => align(servers),
    hangUp() {
      etcd.hangUp();
      remote.hangUp();
    },
    async stop() {
      etcd.hangUp();
      remote.hangUp();
      await gateway.close();
      await Promise.all([memory.close(), v2.stop(), behind.stop()]);
    },
  };
}

/** Whether a number is too large for a double, or a TTL for etcd's 64-bit nanoseconds. */
function isBeyond(request: RawRequest): boolean {
  const numbers = { ttl: 0, waitIndex: 0, prevIndex: 0, ...meaningOf(request)?.request };
  const { ttl = 0, waitIndex = 0, prevIndex = 0 } = numbers;
  return ttl > ENDLESS || Math.max(waitIndex, prevIndex) > Number.MAX_SAFE_INTEGER;
}

/** Leaves out what docs/deviations.md says differs on v3. */
async function takes(request: RawRequest, memory: MemoryKeySpace): Promise<boolean> {
  if (!passesNode(request)) return false;
  const meaning = meaningOf(request);
  if (meaning === undefined) return true;
  const { key } = meaning.request;
  if (key.includes("\0") || key.split("/").length > DEEPEST) return false;
  if (meaning.kind === "watch") {
    const { waitIndex = 0 } = meaning.request;
    return waitIndex === 0 || waitIndex > memory.index - REMEMBERED;
  }
  const ttl = "ttl" in meaning.request ? meaning.request.ttl : undefined;
  if (ttl === undefined) return true;
  if (ttl > ENDLESS || ("dir" in meaning.request && meaning.request.dir)) return false;
  return meaning.request.action !== "update" || !(await isDirectory(key, memory));
}

async function isDirectory(key: string, memory: MemoryKeySpace): Promise<boolean> {
  try {
    return (await memory.execute({ action: "get", key })).node.dir === true;
  } catch {
    return false;
  }
}

/** Writes until all have the same index. The key is hidden. */
async function align(servers: readonly Server[]): Promise<void> {
  const indexes = await Promise.all(servers.map(indexOf));
  const highest = Math.max(...indexes);
  for (const [at, server] of servers.entries()) {
    for (let index = indexes[at] ?? 0; index < highest; index++) {
      await server.call({ method: "PUT", target: "/v2/keys/_align?value=" });
    }
  }
}

async function indexOf(server: Server): Promise<number> {
  const { headers } = await server.call({ method: "GET", target: "/v2/keys/?quorum=true" });
  return Number(headers.get("x-etcd-index"));
}
