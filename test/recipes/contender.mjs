// @ts-check
/**
 * A process whose contenders acquire a lock repeatedly, and use a fenced resource while they hold it.
 * Arguments: the built package, the etcd URLs, the API, the URL of the resource, the TTL, the number of
 * contenders.
 */
import { setTimeout as delay } from "node:timers/promises";

const [index = "", urls = "", api = "", resource = "", ttl = "", count = ""] =
  process.argv.slice(2);
/** @type {typeof import("../../src/index.js")} */
const { EtcdClient, Lock } = await import(index);
const etcd = new EtcdClient({ urls: urls.split(","), api: api === "v3" ? "v3" : "v2" });
const lock = new Lock(etcd, "/contended", { ttl: Number(ttl) });
let stopping = false;

/** @param {object} message */
const report = (message) => process.send?.(message);

/** @param {number} token @param {string} contender */
async function use(token, contender) {
  const body = JSON.stringify({ token, contender, pid: process.pid });
  const { status } = await fetch(resource, { method: "POST", body });
  return status === 200;
}

/** Resolves with true when the signal has aborted, or with false after the TTL. @param {AbortSignal} signal */
async function aborts(signal) {
  const deadline = performance.now() + Number(ttl) * 1000;
  while (!signal.aborted && performance.now() < deadline) await delay(10);
  return signal.aborted;
}

/**
 * @param {import("../../src/index.js").LockHandle} held
 * @param {string} contender
 */
async function work(held, contender) {
  const token = held.fencingToken;
  report({ event: "held", token, contender });
  for (let step = 0; step < 4; step++) {
    held.assertHeld();
    if (!(await use(token, contender))) {
      report({ event: "refused", token, contender, aborted: await aborts(held.signal) });
      return;
    }
    await delay(10);
  }
  held.assertHeld();
  report({ event: "done", token, contender });
}

/** @param {string} contender */
async function contend(contender) {
  while (!stopping) {
    try {
      const held = await lock.acquire({ data: contender, timeout: 60_000 });
      try {
        await work(held, contender);
      } catch (/** @type {any} */ error) {
        report({
          event: "lost",
          token: held.fencingToken,
          contender,
          reason: error.reason ?? `${error}`,
          aborted: held.signal.aborted,
        });
      } finally {
        await held.release();
      }
    } catch (/** @type {any} */ error) {
      report({ event: "failed", contender, name: error.name, message: error.message });
      await delay(100);
    }
  }
}

process.on("message", () => {
  stopping = true;
});
const names = Array.from({ length: Number(count) }, (_, at) => `${process.pid}/${at}`);
await Promise.all(names.map(contend));
await etcd.close();
process.disconnect();
