// @ts-check
// Keeps the embedded server under load with watchers coming and going, and compares its memory at
// the end with that after the first tenth: `node scripts/soak-embedded.mjs [MINUTES]` (default 10).
import { fork } from "node:child_process";
import { once } from "node:events";
import { EtcdClient } from "etcdnet";
import { startEmbeddedEtcd } from "etcdnet/server";

if (process.argv[2] === "serve") await serve();
else await soak(Number(process.argv[2] ?? 10) * 60_000);

/** In a process of its own, so that its memory is the server's alone. */
async function serve() {
  const server = await startEmbeddedEtcd();
  process.on("message", () => {
    globalThis.gc?.();
    process.send?.(process.memoryUsage().rss);
  });
  process.send?.(server.url);
}

/** @param {number} duration milliseconds */
async function soak(duration) {
  const child = fork(import.meta.filename, ["serve"], { execArgv: ["--expose-gc"] });
  const [url] = await once(child, "message");
  const etcd = new EtcdClient({ urls: [url] });
  const end = performance.now() + duration;
  let calls = 0;
  let watches = 0;
  const write = async () => {
    while (performance.now() < end) {
      const key = `/soak/${calls++ % 1000}`;
      await etcd.setNode(key, String(calls), calls % 3 === 0 ? { ttl: 5 } : {});
      await etcd.getNode(key, { ignoreKeyNotFound: true });
    }
  };
  const watch = async () => {
    while (performance.now() < end) {
      const signal = AbortSignal.timeout(200);
      await etcd.watchNode(`/soak/${watches++ % 2000}`, { signal }).catch(() => {});
    }
  };
  const memory = async () => {
    child.send("memory");
    return Number((await once(child, "message"))[0]);
  };
  const work = [...Array.from({ length: 16 }, write), ...Array.from({ length: 200 }, watch)];
  await new Promise((resolve) => setTimeout(resolve, duration / 10));
  const before = await memory();
  await Promise.all(work);
  const after = await memory();
  await etcd.close();
  child.kill();
  const growth = after / before - 1;
  console.log(
    `${calls} writes and reads, ${watches} watches: memory ${(growth * 100).toFixed(1)} %`,
  );
  process.exit(growth <= 0.1 ? 0 : 1);
}
