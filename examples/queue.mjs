// @ts-check
// A queue: first in, first out, each item at least once. Work must bear to be done twice.
import { EtcdClient, Queue } from "etcdnet";

const urls = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ urls });
const queue = new Queue(etcd, "/example-queue", { visibilityTimeout: 10 }); // seconds

for (const value of ["wash", "dry", "fold"]) await queue.enqueue(value);

/** @param {string} name */
async function consume(name) {
  const item = await queue.take();
  try {
    console.log(name, "takes", item.value);
    if (name === "clumsy") throw new Error("dropped it");
    await item.acknowledge();
  } finally {
    await item.release(); // does nothing after acknowledge; with TypeScript: await using item = …
  }
}

await consume("clumsy").catch((error) => console.log(error.message));
for (let count = 0; count < 3; count++) await consume("careful");

// Nothing there: take() waits, and ends with its signal or timeout.
const waiting = queue.take({ timeout: 5_000 });
await queue.enqueue("iron");
const item = await waiting;
console.log("waited for", item.value);
await item.acknowledge();

await queue.close();
await etcd.deleteNode("/example-queue", { recursive: true });
await etcd.close();
