// @ts-check
// Keep alive: a key with a TTL is held while this process lives, and never another's by mistake.
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { EtcdClient, EtcdServerError, expirationTime, isKeyNotFound, isTestFailed } from "etcdnet";

const urls = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ urls });

const key = "/example-keep-alive";
const me = `worker ${randomUUID()}`; // unique: it proves that the key is ours
const ttl = 10; // seconds
const pause = 200; // milliseconds; short for this example, else a third of the TTL

/** Creates the key. A set would take it from another owner. */
async function acquire() {
  const sentAt = performance.now();
  await etcd.createNode(key, me, { ttl });
  return sentAt + ttl * 1000;
}

/**
 * Refreshes the key, and tells when and why it is not provably ours any more: at the latest when
 * the TTL has passed since the last good request was sent. That is counted on our own clock; the
 * node's `expiration` is a time of another machine's clock.
 *
 * @param {number} heldUntil
 * @param {AbortSignal} stop
 */
async function keepAlive(heldUntil, stop) {
  while (!stop.aborted) {
    const sentAt = performance.now();
    const tooLate = AbortSignal.timeout(Math.max(0, Math.floor(heldUntil - sentAt)));
    try {
      // Silent, and only while the value is ours. By index would fail: each refresh moves it.
      const signal = AbortSignal.any([stop, tooLate]);
      await etcd.refreshNode(key, ttl, { prevValue: me, signal });
      heldUntil = sentAt + ttl * 1000;
    } catch (error) {
      if (isKeyNotFound(error)) return "gone: it was deleted, or it expired";
      if (isTestFailed(error)) return "another's";
      if (tooLate.aborted) return "not provably ours: no refresh in time";
      if (error instanceof EtcdServerError) throw error; // no permission, say: for ever
      // No answer. A refresh may happen twice without harm, so it is simply sent again.
    }
    await delay(pause, undefined, { signal: stop }).catch(() => {});
  }
  return "ours, but no longer needed";
}

const stop = new AbortController();

// All is well: the key outlives its TTL.
let end = keepAlive(await acquire(), stop.signal);
const { node: before } = await etcd.getNode(key);
let now = before;
while (now.expiration === before.expiration) {
  await delay(pause);
  now = (await etcd.getNode(key)).node;
}
console.log("it would have expired at", expirationTime(before)?.toISOString());
console.log("it will now expire at", expirationTime(now)?.toISOString());

// Somebody takes the key by force: a blind set would have taken it back, and both would own it.
await etcd.setNode(key, "somebody else");
console.log("the key is", await end);
await etcd.deleteNode(key);

// The key goes. Whether to create it anew is for the program to say: another may be quicker.
end = keepAlive(await acquire(), stop.signal);
await etcd.deleteNode(key);
console.log("the key is", await end);

// The end: the key is deleted at once, so that nobody has to wait for the TTL, if it is ours.
end = keepAlive(await acquire(), stop.signal);
stop.abort();
console.log("the key is", await end);
await etcd.compareAndDeleteNode(key, { prevValue: me });

await etcd.close();
