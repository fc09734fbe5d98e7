// @ts-check
/**
 * A process that takes a lock and then asks `assertHeld()` without ever letting a timer run, until
 * that throws. Arguments: the built package, the etcd URLs, the TTL.
 */
const [index = "", urls = "", ttl = ""] = process.argv.slice(2);
/** @type {typeof import("../../src/index.js")} */
const { EtcdClient, Lock } = await import(index);
const etcd = new EtcdClient({ urls: urls.split(",") });
const held = await new Lock(etcd, "/slept", { ttl: Number(ttl) }).acquire();
let [asked, askedBefore] = [performance.now(), performance.now()];
process.send?.({ event: "held" });
for (;;) {
  [asked, askedBefore] = [performance.now(), asked];
  const abortedBefore = held.signal.aborted;
  try {
    held.assertHeld();
  } catch (/** @type {any} */ error) {
    // The pause came between two questions, or within the last.
    const gap = performance.now() - askedBefore;
    const abortedAfter = held.signal.aborted;
    process.send?.({ event: "lost", reason: error.reason, gap, abortedBefore, abortedAfter });
    break;
  }
}
await held.release();
await etcd.close();
process.disconnect();
