/** An option that is `undefined` is absent: every option of every function that takes options. */

import { expect, test } from "vitest";
import {
  config,
  diffTrees,
  Election,
  EtcdClient,
  type KeyRequest,
  Lock,
  Mirror,
  migrate,
  Queue,
  Registry,
} from "../src/index.js";
import {
  createGateway,
  createV2Handler,
  MemoryClusterApi,
  MemoryKeySpace,
  startEmbeddedEtcd,
} from "../src/server/index.js";

type Options = Readonly<Record<string, unknown>>;

/** Clients of stores with the same few nodes: one without HTTP, one with it. */
async function openClients(): Promise<{
  readonly etcd: EtcdClient;
  readonly remote: EtcdClient;
  readonly close: () => Promise<void>;
}> {
  const embedded = await startEmbeddedEtcd({});
  const keySpace = new MemoryKeySpace({});
  const etcd = new EtcdClient({ keySpace, clusterApi: new MemoryClusterApi(keySpace, {}) });
  const remote = new EtcdClient({ endpoints: embedded.url });
  for (const client of [etcd, remote]) {
    await client.setNode("/file", "1", { ttl: 100 });
    await client.setNode("/dir", null, { dir: true });
    await client.setNode("/sub/b/c", "2");
  }
  const close = async (): Promise<void> => {
    await Promise.all([etcd.close(), remote.close()]);
    await embedded.close();
  };
  return { etcd, remote, close };
}

const schema = {
  "~standard": { version: 1, vendor: "test", validate: (value: unknown) => ({ value }) },
} as const;

/** Calls a function with options. `any`, because each function has other options. */
// biome-ignore lint/suspicious/noExplicitAny: the table calls functions of many types
type Call = (etcd: EtcdClient, options: any) => unknown;

/** Functions that refuse unknown options, and the options that they require. */
const FUNCTIONS: Readonly<Record<string, readonly [call: Call, needed?: Options]>> = {
  EtcdClient: [(_, options) => void new EtcdClient(options).close(), { urls: ["http://h:1"] }],
  "EtcdClient, tls": [(_, tls) => void new EtcdClient({ urls: ["http://h:1"], tls }).close()],
  getNode: [(etcd, options) => etcd.getNode("/sub", options)],
  getNodeValue: [(etcd, options) => etcd.getNodeValue("/missing", options)],
  setNode: [(etcd, options) => etcd.setNode("/file", "2", options)],
  "setNode of a directory": [(etcd, options) => etcd.setNode("/a", null, options), { dir: true }],
  createNode: [(etcd, options) => etcd.createNode("/a", "2", options)],
  createInOrderNode: [(etcd, options) => etcd.createInOrderNode("/a", "2", options)],
  updateNode: [(etcd, options) => etcd.updateNode("/file", "2", options)],
  refreshNode: [(etcd, options) => etcd.refreshNode("/file", 50, options)],
  deleteNode: [(etcd, options) => etcd.deleteNode("/dir", options)],
  compareAndSwapNode: [
    (etcd, options) => etcd.compareAndSwapNode("/file", { prevValue: "1" }, "2", options),
  ],
  compareAndDeleteNode: [
    (etcd, options) => etcd.compareAndDeleteNode("/file", { prevValue: "1" }, options),
  ],
  watchNode: [(etcd, options) => etcd.watchNode("/file", options), { waitIndex: 1 }],
  watch: [(etcd, options) => etcd.watch("/file", options).next(), { initial: true }],
  keepAlive: [
    async (etcd, options) => {
      await using kept = await etcd.keepAlive("/kept", "mine", options);
      return kept.value;
    },
    { ttl: 9 },
  ],
  Lock: [(etcd, options) => hold(new Lock(etcd, "/lock", options).acquire())],
  "Lock.acquire": [(etcd, options) => hold(new Lock(etcd, "/lock").acquire(options))],
  "Lock.tryAcquire": [(etcd, options) => hold(new Lock(etcd, "/lock").tryAcquire(options))],
  Election: [(etcd, options) => hold(new Election(etcd, "/e", options).campaign("me"))],
  "Election.campaign": [(etcd, options) => hold(new Election(etcd, "/e").campaign("me", options))],
  "Election.leader": [(etcd, options) => new Election(etcd, "/e").leader(options)],
  "Election.observe": [(etcd, options) => new Election(etcd, "/e").observe(options).next()],
  Queue: [(etcd, options) => new Queue(etcd, "/q", options).enqueue("item")],
  "Queue.enqueue": [(etcd, options) => new Queue(etcd, "/q").enqueue("item", options)],
  "Queue.take": [
    async (etcd, options) => {
      await using queue = new Queue(etcd, "/q");
      await queue.enqueue("item");
      await using item = await queue.take(options);
      return item.value;
    },
  ],
  Registry: [(etcd, options) => new Registry(etcd, "/services", options).discover("a")],
  "Registry.register": [
    async (etcd, options) => {
      const instance = { id: "1", metadata: {} };
      const registry = new Registry(etcd, "/services");
      await using registration = await registry.register("a", instance, options);
      return registration.key;
    },
  ],
  "Registry.discover": [(etcd, options) => new Registry(etcd, "/services").discover("a", options)],
  Mirror: [
    async (etcd, options) => {
      await using mirror = new Mirror(etcd, "/sub", options);
      await mirror.ready;
      return [...mirror];
    },
  ],
  "Mirror.waitFor": [
    async (etcd, options) => {
      await using mirror = new Mirror(etcd, "/sub");
      await mirror.waitFor(1, options);
    },
  ],
  config: [
    async (etcd, options) => {
      await using mirror = new Mirror(etcd, "/sub");
      using settings = config(mirror, schema, options);
      return await settings.ready;
    },
  ],
  diffTrees: [
    async (etcd, options) => {
      const found: unknown[] = [];
      const sides = { from: etcd, to: etcd.namespace("/sub") };
      for await (const difference of diffTrees({ ...sides, ...options })) found.push(difference);
      return found;
    },
  ],
  migrate: [
    async (etcd, options) => {
      const to = new EtcdClient({ keySpace: new MemoryKeySpace() });
      const { compared } = await migrate({ from: etcd, to, ...options });
      return [compared, await to.getNode("/", { recursive: true, sorted: true })];
    },
  ],
  startEmbeddedEtcd: [async (_, options) => (await startEmbeddedEtcd(options)).close()],
  "startEmbeddedEtcd, limits": [async (_, limits) => (await startEmbeddedEtcd({ limits })).close()],
  createGateway: [
    async (_, options) => (await createGateway(options)).close(),
    { etcd: { endpoints: "http://127.0.0.1:1", timeout: 50 } },
  ],
};

async function hold(held: Promise<AsyncDisposable | null>): Promise<boolean> {
  await using handle = await held;
  return handle !== null;
}

/** The outcome of a call, without parts that differ between calls. */
async function outcomeOf(call: () => unknown): Promise<string> {
  try {
    return `gives ${JSON.stringify(await call(), withoutOrigin)}`;
  } catch (error) {
    return `throws ${error}`.replace(/:\d+:/, ":PORT:");
  }
}

const CHANGING = new Set([
  "etcdServer",
  "etcdClusterId",
  "expiration",
  "ttl",
  "endpoint",
  "clusterId",
]);

function withoutOrigin(name: string, value: unknown): unknown {
  return CHANGING.has(name) ? undefined : value;
}

/** The options of a function. Its error for an unknown option lists them. */
async function optionsOf(call: (options: Options) => unknown, needed: Options): Promise<string[]> {
  const refusal = await outcomeOf(() => call({ ...needed, bogus: 1 }));
  const names = /is not an option of [^;]*; it takes (.*)$/.exec(refusal)?.[1]?.split(", ");
  return names ?? expect.fail(`takes any option: ${refusal}`);
}

test.concurrent.each(Object.keys(FUNCTIONS))("%s", async (name) => {
  const [call, needed = {}] = FUNCTIONS[name] ?? expect.fail();
  const { etcd, close } = await openClients();
  const known = await optionsOf((options) => call(etcd, options), needed);
  await close();
  const absent = known.filter((option) => !(option in needed) && !["from", "to"].includes(option));
  const outcome = async (options: Options): Promise<string> => {
    const clients = await openClients();
    try {
      return await outcomeOf(() => call(clients.etcd, { ...needed, ...options }));
    } finally {
      await clients.close();
    }
  };
  const all = Object.fromEntries(absent.map((option) => [option, undefined]));
  expect(await outcome(all)).toBe(await outcome({}));
});

/** Requests, and their options. */
const REQUESTS: readonly (readonly [KeyRequest, Options])[] = [
  [
    { action: "get", key: "/sub" },
    { recursive: undefined, sorted: undefined, quorum: undefined },
  ],
  [
    { action: "set", key: "/file", value: "2" },
    { ttl: undefined, dir: undefined, refresh: undefined, noValueOnSuccess: undefined },
  ],
  [
    { action: "set", key: "/new", dir: true },
    { ttl: undefined, value: undefined, refresh: undefined, noValueOnSuccess: undefined },
  ],
  [
    { action: "set", key: "/file", refresh: true, ttl: 50 },
    { value: undefined, dir: undefined, noValueOnSuccess: undefined },
  ],
  [
    { action: "create", key: "/new", value: "2" },
    { ttl: undefined, dir: undefined, inOrder: undefined, noValueOnSuccess: undefined },
  ],
  [
    { action: "create", key: "/new", dir: true },
    { ttl: undefined, value: undefined, inOrder: undefined, noValueOnSuccess: undefined },
  ],
  [
    { action: "update", key: "/file", value: "2" },
    { ttl: undefined, dir: undefined, refresh: undefined, noValueOnSuccess: undefined },
  ],
  [
    { action: "update", key: "/dir", dir: true },
    { ttl: undefined, value: undefined, refresh: undefined, noValueOnSuccess: undefined },
  ],
  [
    { action: "compareAndSwap", key: "/file", value: "2", prevValue: "1" },
    { ttl: undefined, prevIndex: undefined, refresh: undefined, noValueOnSuccess: undefined },
  ],
  [
    { action: "compareAndSwap", key: "/file", value: "2", prevIndex: 4 },
    { ttl: undefined, prevValue: undefined, refresh: undefined, noValueOnSuccess: undefined },
  ],
  [
    { action: "delete", key: "/file" },
    { dir: undefined, recursive: undefined },
  ],
  [{ action: "compareAndDelete", key: "/file", prevValue: "1" }, { prevIndex: undefined }],
  [{ action: "compareAndDelete", key: "/file", prevIndex: 4 }, { prevValue: undefined }],
];

test.concurrent.each(REQUESTS)("execute of %j", async (request, absent) => {
  for (const side of ["etcd", "remote"] as const) {
    const outcomes = [{}, absent].map(async (options) => {
      const clients = await openClients();
      try {
        const limits = { signal: undefined, attemptTimeout: undefined };
        return await outcomeOf(() => clients[side].execute({ ...request, ...options }, limits));
      } finally {
        await clients.close();
      }
    });
    const [without, withUndefined] = await Promise.all(outcomes);
    expect(withUndefined).toBe(without);
  }
});

test("calls with no option but a signal, and parts of servers", async () => {
  const { etcd, remote, close } = await openClients();
  const signal = { signal: undefined };
  for (const client of [etcd, remote]) {
    await client.version(signal);
    await client.health(signal);
    await client.machines(signal);
    await client.members.list(signal);
    await client.stats.store(signal);
  }
  const { users, roles } = remote.auth;
  const none = { read: undefined, write: undefined };
  await roles.create("r", none, signal);
  await roles.update("r", { grant: { read: ["/a"], write: undefined }, revoke: undefined });
  await users.create("u", { password: "p", roles: undefined }, signal);
  await users.update("u", { password: undefined, grant: ["r"], revoke: undefined }, signal);
  expect(await users.get("u", signal)).toMatchObject({ roles: [{ role: "r" }] });
  const clock = undefined;
  const keySpace = new MemoryKeySpace({ historySize: undefined, clock });
  const lasting = { name: undefined, id: undefined, peerURLs: undefined, clientURLs: undefined };
  const changing = { version: undefined, problem: undefined, clock };
  const clusterApi = new MemoryClusterApi(keySpace, { ...lasting, ...changing });
  const parts = { keySpace, clusterApi, authKeySpace: keySpace, clusterId: async () => "1" };
  createV2Handler({ ...parts, advertise: undefined, host: undefined, metrics: undefined });
  expect((await clusterApi.members.list()).length).toBe(1);
  const watch = await keySpace.openWatch(
    { key: "/a", recursive: undefined, waitIndex: undefined, stream: undefined },
    signal,
  );
  watch.close();
  await close();
});
