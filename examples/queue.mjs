// @ts-check
// Queue: first in, first out, at least once. An item can be delivered twice, so make the work idempotent.
import { EtcdClient } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ endpoints });
const queue = etcd.queue("/example-queue", { visibilityTimeout: 10 }); // seconds

for (const value of ["wash", "dry", "fold"]) await queue.enqueue(value);

/** @param {string} name */
async function consume(name) {
  const item = await queue.take();
  try {
    console.log(name, "takes", item.value);
    if (name === "clumsy") throw new Error("dropped it");
    await item.acknowledge();
  } finally {
    await item.release(); // no effect after acknowledge; in TypeScript: await using item = …
  }
}

await consume("clumsy").catch((error) => console.log(error.message));
for (let count = 0; count < 3; count++) await consume("careful");

// take() waits while the queue is empty, until its signal or timeout ends it.
const waiting = queue.take({ timeout: 5_000 });
await queue.enqueue("iron");
const item = await waiting;
console.log("waited for", item.value);
await item.acknowledge();

await queue.close();
await etcd.deleteNode("/example-queue", { recursive: true });
await etcd.close();
