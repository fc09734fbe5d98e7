// @ts-check
// Keep alive: a key with a TTL is held while this process lives, and never another's by mistake.
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { EtcdClient, expirationTime } from "etcdnet";

const urls = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ urls });

const key = "/example-keep-alive";
const me = `worker ${randomUUID()}`; // unique: it proves that the key is ours
const ttl = 5; // seconds; short for this example

// All is well: the key is renewed at a third of its TTL, without telling watchers.
const kept = await etcd.keepAlive(key, me, { ttl });
const before = expirationTime((await etcd.getNode(key)).node);
await once(kept, "renewed");
const now = expirationTime((await etcd.getNode(key, { quorum: true })).node);
console.log("it would have expired at", before?.toISOString());
console.log("it will now expire at", now?.toISOString());

// Before each step that only the owner may do: by this process's clocks, without asking etcd.
kept.assertHeld();

// Somebody takes the key by force. It is not taken back, and `signal` ends what depends on it.
await etcd.setNode(key, "somebody else");
const [taken] = await once(kept, "lost");
console.log("the key was", taken.reason, "and the signal is aborted:", kept.signal.aborted);
await kept.close();
console.log("the key is left alone:", await etcd.getNodeValue(key));

// The key vanishes, and is made again: with `recreate`, for a key that only announces something.
const announced = await etcd.keepAlive(key, me, { ttl, ifExists: "replace", recreate: true });
announced.on("lost", ({ reason }) => console.log("the key was lost:", reason));
await etcd.deleteNode(key);
await once(announced, "recreated");
console.log("the key is there again:", (await etcd.getNodeValue(key)) === me);

// The end: the key is deleted at once, so that nobody has to wait for the TTL, if it is ours.
await announced.close();
console.log("the key is there:", await etcd.getNodeValue(key, { ignoreKeyNotFound: true }));

await etcd.close();
