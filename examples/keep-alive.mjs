// @ts-check
// Keep alive: a key with a TTL exists while this process runs and owns it.
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { EtcdClient, expirationTime } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ endpoints });

const key = "/example-keep-alive";
const me = `worker ${randomUUID()}`; // must be unique: it identifies the owner
const ttl = 5; // seconds; short for this example

// The key is renewed after a third of its TTL. Watchers are not notified.
const kept = await etcd.keepAlive(key, me, { ttl });
const before = expirationTime((await etcd.getNode(key)).node);
await once(kept, "renewed");
const now = expirationTime((await etcd.getNode(key, { quorum: true })).node);
console.log("it would have expired at", before?.toISOString());
console.log("it will now expire at", now?.toISOString());

// Call it before each step that only the owner may do. It reads the clocks and sends no request.
kept.assertHeld();

// Another client writes the key. It is not taken back. `signal` aborts the work that depends on it.
await etcd.setNode(key, "another owner");
const [taken] = await once(kept, "lost");
console.log("the key was", taken.reason, "and the signal is aborted:", kept.signal.aborted);
await kept.close();
console.log("the key is unchanged:", await etcd.getNodeValue(key));

// With `recreate`, a deleted key is created again. Use it for keys that only announce something.
const announced = await etcd.keepAlive(key, me, { ttl, ifExists: "replace", recreate: true });
announced.on("lost", ({ reason }) => console.log("the key was lost:", reason));
await etcd.deleteNode(key);
await once(announced, "recreated");
console.log("the key exists again:", (await etcd.getNodeValue(key)) === me);

// close() deletes the key if this process still owns it.
await announced.close();
console.log("the key after close():", await etcd.getNodeValue(key, { ignoreKeyNotFound: true }));

await etcd.close();
