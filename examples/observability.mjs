// @ts-check
// Observability: a log and metrics from the client's diagnostics channels.
/** @import { TracingChannel } from "node:diagnostics_channel" */
/** @import { FailoverTrace, RequestTrace, WatchTrace } from "etcdnet" */
import { subscribe, tracingChannel } from "node:diagnostics_channel";
import { EtcdClient } from "etcdnet";

const metrics = { calls: 0, failed: 0, milliseconds: 0, failovers: 0, openWatches: 0 };

/** @type {TracingChannel<unknown, RequestTrace>} */
const calls = tracingChannel("etcdnet:request");
/** @type {WeakMap<RequestTrace, number>} a call has the same message object at its start and end */
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

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ endpoints });
const key = "/example-observability";

const { node } = await etcd.setNode(key, "1");
await etcd.watchNode(key, { waitIndex: node.modifiedIndex });
await etcd.deleteNode(key);
await etcd.deleteNode(key, { ignoreKeyNotFound: true });
await etcd.close();

const unreachable = new EtcdClient({ endpoints: "http://127.0.0.1:1" }); // no server
await unreachable.getNode(key).catch(() => {});
await unreachable.close();

const { failed, failovers, openWatches } = metrics;
console.log(`${metrics.calls} calls, ${failed} failed`);
console.log(`${failovers} failed attempts`);
console.log(`${openWatches} open watches`);
