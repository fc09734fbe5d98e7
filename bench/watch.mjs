// @ts-check
/**
 * One watcher follows every change that many writers can make, half of them to other keys;
 * docs/benchmarks.md says what it shows.
 *
 *     node bench/watch.mjs [SECONDS]
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { EtcdClient } from "../dist/index.js";
import { ensureEtcd } from "../scripts/etcd-binaries.mjs";
import { startEtcdProcess } from "../scripts/etcd-process.mjs";

const WRITERS = 50;
const WATCHES = 1_000;

const [first = "60", url = "", seconds = ""] = process.argv.slice(2);
if (first === "write") await write(url, Number(seconds));
else await follow(Number(first));

/**
 * In a process of its own, as in life.
 *
 * @param {string} url
 * @param {number} seconds
 */
async function write(url, seconds) {
  const etcd = new EtcdClient({ urls: [url] });
  const end = performance.now() + seconds * 1000;
  let [changes, last] = [0, 0];
  const work = async (/** @type {number} */ writer) => {
    for (let n = 0; performance.now() < end; n++) {
      const isOurs = n % 2 === 0;
      const { node } = await etcd.setNode(`/${isOurs ? "watched" : "other"}/${writer}`, `${n}`);
      if (!isOurs) continue;
      changes++;
      last = Math.max(last, node.modifiedIndex);
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, (_, writer) => work(writer)));
  process.send?.({ changes, last });
  await etcd.close();
  process.disconnect?.();
}

/** @param {number} seconds */
async function follow(seconds) {
  const found = ensureEtcd("3.4");
  if ("missing" in found) throw new Error(found.missing);
  const server = await startEtcdProcess({ binary: found.path, v2: true });
  const etcd = new EtcdClient({ urls: [server.url] });
  try {
    await followAll(etcd, server.url, seconds);
    await openMany(server.url);
  } finally {
    await etcd.close();
    await server.remove();
  }
}

/** @param {EtcdClient} etcd @param {string} url @param {number} seconds */
async function followAll(etcd, url, seconds) {
  const watch = etcd.watch("/watched", { recursive: true, initial: true });
  await watch.next();
  const writers = fork(import.meta.filename, ["write", url, `${seconds}`]);
  const written = once(writers, "message");
  let [told, resyncs, index, last] = [0, 0, 0, Number.POSITIVE_INFINITY];
  const done = written.then(([{ last: reached }]) => {
    last = reached;
    if (index >= last) watch.close();
  });
  for await (const item of watch) {
    if (item.type === "resync") resyncs++;
    else told++;
    index = item.type === "resync" ? item.index : item.response.node.modifiedIndex;
    if (index >= last) break;
  }
  await done;
  const [{ changes }] = await written;
  console.log(
    `${WRITERS} writers, ${seconds} s: ${changes} changes of watched keys, as many of others`,
  );
  console.log(
    `told: ${told} changes, ${resyncs} resyncs; lost: ${resyncs === 0 ? changes - told : "?"}`,
  );
}

/** @param {string} url */
async function openMany(url) {
  const etcd = new EtcdClient({ urls: [url] });
  const watches = Array.from({ length: WATCHES }, (_, n) =>
    etcd.watch(`/many/${n}`, { initial: true }),
  );
  await Promise.all(watches.map((watch) => watch.next()));
  const begun = performance.now();
  const ends = watches.map((watch) => watch.next().catch(() => {}));
  await etcd.close();
  await Promise.all(ends);
  console.log(`close() frees ${WATCHES} watches: ${(performance.now() - begun).toFixed(0)} ms`);
}
