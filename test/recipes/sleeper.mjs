// @ts-check
/**
 * A process that acquires a lock, and then calls `assertHeld()` without running any timer until it
 * throws. Arguments: the built package, the etcd URLs, the TTL.
 */
const [index = "", urls = "", ttl = ""] = process.argv.slice(2);
/** @type {typeof import("../../src/index.js")} */
const { EtcdClient, Lock } = await import(index);
const etcd = new EtcdClient({ urls: urls.split(",") });
const held = await new Lock(etcd, "/slept", { ttl: Number(ttl) }).acquire();
let [calledAt, previousCallAt] = [performance.now(), performance.now()];
process.send?.({ event: "held" });
for (;;) {
  [calledAt, previousCallAt] = [performance.now(), calledAt];
  const abortedBefore = held.signal.aborted;
  try {
    held.assertHeld();
  } catch (/** @type {any} */ error) {
    // The pause was between two calls, or within the last one.
    const gap = performance.now() - previousCallAt;
    const abortedAfter = held.signal.aborted;
    process.send?.({ event: "lost", reason: error.reason, gap, abortedBefore, abortedAfter });
    break;
  }
}
await held.release();
await etcd.close();
process.disconnect();
