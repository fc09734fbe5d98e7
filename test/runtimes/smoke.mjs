// @ts-check
// Uses the client, the recipes and the embedded server once each, and prints one line for each part:
// `node smoke.mjs JSON`, with the URLs of an etcd without TLS and of one with TLS, and with certificates of its CA.
import { config, EtcdClient } from "etcdnet";
import { startEmbeddedEtcd } from "etcdnet/server";
import { etcdFixture, ManualClock } from "etcdnet/testing";

const { plain, secure, ca, server: own, client: user } = JSON.parse(process.argv[2] ?? "{}");
const PART_TIMEOUT_MS = 20_000;

/** @param {string} name @param {() => Promise<unknown>} part */
async function report(name, part) {
  const timer = setTimeout(() => {
    console.log(`${name}: still running after ${PART_TIMEOUT_MS} ms`);
    process.exit(1);
  }, PART_TIMEOUT_MS);
  console.log(`${name}: ${await part().catch((error) => `${error}`)}`);
  clearTimeout(timer);
}

/** @param {EtcdClient} etcd */
async function readAndWrite(etcd) {
  await etcd.setNode("/smoke/a", "ä");
  return await etcd.getNodeValue("/smoke/a");
}

/** From history, then live. @param {EtcdClient} etcd */
async function watch(etcd) {
  const { etcdIndex } = await etcd.getNode("/smoke");
  await etcd.setNode("/smoke/b", "1");
  const keys = [];
  for await (const item of etcd.watch("/smoke", { recursive: true, from: etcdIndex + 1 })) {
    if (item.type === "change") keys.push(item.response.node.key);
    if (keys.length === 2) return keys;
    await etcd.setNode("/smoke/c", "1");
  }
}

/** @param {EtcdClient} etcd */
async function lock(etcd) {
  const handle = await etcd.lock("/smoke/lock").acquire();
  handle.assertHeld();
  await handle.release();
  return "released";
}

/** @param {EtcdClient} etcd */
async function election(etcd) {
  const leadership = await etcd.election("/smoke/election").campaign("me");
  const leader = await etcd.election("/smoke/election").leader();
  await leadership.resign();
  return leader?.value;
}

/** @param {EtcdClient} etcd */
async function queue(etcd) {
  const jobs = etcd.queue("/smoke/queue");
  await jobs.enqueue("job");
  const job = await jobs.take();
  await job.acknowledge();
  await jobs.close();
  return job.value;
}

/** @param {EtcdClient} etcd */
async function registry(etcd) {
  const services = etcd.registry("/smoke/services");
  const registration = await services.register("mail", { id: "one", metadata: 25 });
  const found = await services.discover("mail");
  await registration.close();
  return found.map(({ id, metadata }) => `${id} at ${metadata}`);
}

/** @param {EtcdClient} etcd */
async function settings(etcd) {
  await etcd.setNode("/smoke/settings/port", "1");
  const mirror = etcd.mirror("/smoke/settings");
  /** @type {import("etcdnet").ConfigSchema<any>} */
  const schema = {
    "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) },
  };
  const live = config(mirror, schema);
  await live.ready;
  const changed = new Promise((resolve) => live.once("change", resolve));
  await etcd.setNode("/smoke/settings/port", "2");
  await changed;
  live.close();
  await mirror.close();
  return JSON.stringify(live.current);
}

/** @param {EtcdClient} etcd */
async function timeout(etcd) {
  const signal = AbortSignal.timeout(50);
  return await etcd.watchNode("/smoke/never", { signal }).catch((error) => error.name);
}

const PARTS = {
  "read and write": readAndWrite,
  watch,
  lock,
  election,
  queue,
  registry,
  settings,
  timeout,
};

/** @param {string} name @param {EtcdClient} etcd */
async function tour(name, etcd) {
  for (const [part, run] of Object.entries(PARTS)) await report(`${name} ${part}`, () => run(etcd));
  await etcd.close();
}

/** The name of the error with which a read fails. @param {import("etcdnet").EtcdClientOptions} options */
async function failureOf(options) {
  const etcd = new EtcdClient({ ...options, timeout: 10_000 });
  const name = await etcd.getNode("/").then(
    () => "no error",
    (error) => error.name,
  );
  await etcd.close();
  return name;
}

/** What a client must refuse, and what a server must. */
async function refusals() {
  const secured = await startEmbeddedEtcd({ tls: { ...own, clientCa: ca } });
  const { url: endpoints } = secured;
  const stranger = await startEmbeddedEtcd();
  await stranger.close();
  const failures = {
    "no server": { endpoints: stranger.url },
    "unknown authority": { endpoints: secure },
    "unknown authority, v3": { endpoints: secure, api: /** @type {const} */ ("v3") },
    "other name": { endpoints: secure, tls: { ca, servername: "other.example" } },
    "no client certificate": { endpoints, tls: { ca } },
    "client certificate": { endpoints, tls: { ca, ...user } },
  };
  for (const [what, options] of Object.entries(failures)) {
    await report(what, () => failureOf(options));
  }
  await secured.close();
}

/** A watch goes on after the server was away. */
async function restart() {
  const first = await startEmbeddedEtcd();
  const etcd = new EtcdClient({ endpoints: first.url });
  const watcher = etcd.watch("/smoke", { initial: true });
  await watcher.next();
  const next = watcher.next();
  await first.close();
  const second = await startEmbeddedEtcd({ port: Number(new URL(first.url).port) });
  const { value } = await next;
  watcher.close();
  await etcd.close();
  await second.close();
  return value.reason;
}

/** A fixture with hooks of its own, so that it needs no test framework. */
async function fixture() {
  /** @type {Record<string, () => Promise<void>>} */
  const hooks = {};
  const names = ["beforeAll", "beforeEach", "afterEach", "afterAll"];
  const setters = names.map((name) => [name, (/** @type {any} */ run) => (hooks[name] = run)]);
  const clock = new ManualClock();
  const etcd = etcdFixture(Object.fromEntries(setters), { clock });
  await hooks.beforeAll?.();
  await hooks.beforeEach?.();
  await etcd.client.setNode("/short", "1", { ttl: 60 });
  await clock.advance(61_000);
  const name = await etcd.client.getNode("/short").catch((error) => error.name);
  await hooks.afterEach?.();
  await hooks.afterAll?.();
  return name;
}

const server = await startEmbeddedEtcd();
const tls = { ca };
const clients = {
  v2: new EtcdClient({ endpoints: plain }),
  v3: new EtcdClient({ endpoints: plain, api: "v3" }),
  "v2 with TLS": new EtcdClient({ endpoints: secure, tls }),
  "v3 with TLS": new EtcdClient({ endpoints: secure, tls, api: "v3" }),
  embedded: new EtcdClient({ endpoints: server.url }),
};
await Promise.all(Object.entries(clients).map(([name, etcd]) => tour(name, etcd)));
await server.close();
await refusals();
await report("restart", restart);
await report("fixture", fixture);
// With a TTL, a connection and nothing that closes them.
const left = await startEmbeddedEtcd();
left.unref();
await left.keySpace.execute({ action: "set", key: "/a", value: "1", ttl: 100 });
await (await fetch(`${left.url}/v2/keys/a`)).text();
console.log("the process ends");
