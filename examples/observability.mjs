// @ts-check
// Observability: a log and some metrics, built on the client's diagnostics channels.
/** @import { TracingChannel } from "node:diagnostics_channel" */
/** @import { FailoverTrace, RequestTrace, WatchTrace } from "etcdnet" */
import { subscribe, tracingChannel } from "node:diagnostics_channel";
import { EtcdClient } from "etcdnet";

const metrics = { calls: 0, failed: 0, milliseconds: 0, failovers: 0, openWatches: 0 };

/** @type {TracingChannel<unknown, RequestTrace>} */
const calls = tracingChannel("etcdnet:request");
/** @type {WeakMap<RequestTrace, number>} each call has one message object, from start to end */
const startedAt = new WeakMap();

calls.start.subscribe((message) => {
  startedAt.set(/** @type {RequestTrace} */ (message), performance.now());
});

calls.asyncEnd.subscribe((message) => {
  const call = /** @type {RequestTrace & { error?: Error & { code?: string } }} */ (message);
  const { operation, attempts, endpoint = "no endpoint", error } = call;
  metrics.calls++;
  if (error !== undefined) metrics.failed++;
  metrics.milliseconds += performance.now() - (startedAt.get(call) ?? 0);
  console.log(`${operation} at ${endpoint}: ${error?.code ?? "ok"}, ${attempts} attempts`);
});

subscribe("etcdnet:failover", (message) => {
  const { operation, endpoint, cause } = /** @type {FailoverTrace} */ (message);
  metrics.failovers++;
  console.log(`${operation} failed at ${endpoint}: ${cause.message}`);
});

subscribe("etcdnet:watch", (message) => {
  const { event } = /** @type {WatchTrace} */ (message);
  metrics.openWatches += event === "open" ? 1 : -1;
});

const urls = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ urls });
const key = "/example-observability";

const { node } = await etcd.setNode(key, "1");
await etcd.watchNode(key, { waitIndex: node.modifiedIndex });
await etcd.deleteNode(key);
await etcd.deleteNode(key, { ignoreKeyNotFound: true });
await etcd.close();

const lost = new EtcdClient({ urls: ["http://127.0.0.1:1"] }); // nobody is there
await lost.getNode(key).catch(() => {});
await lost.close();

const { failed, failovers, openWatches } = metrics;
console.log(`${metrics.calls} calls, ${failed} of them failed`);
console.log(`${failovers} attempts that failed`);
console.log(`${openWatches} open watches`);
