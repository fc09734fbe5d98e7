// @ts-check
// A lock: one at a time, in line. What it protects checks the fencing token, and so excludes.
import { EtcdClient, Lock, TimeoutError } from "etcdnet";

const urls = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ urls });
const lock = new Lock(etcd, "/example-lock", { ttl: 10 }); // seconds that a dead holder blocks

/** What the lock protects. It refuses those who come with an older token than it has seen. */
const account = {
  balance: 0,
  highest: 0,
  /** @param {number} balance @param {number} token */
  write(balance, token) {
    if (token < this.highest) throw new Error(`token ${token} is older than ${this.highest}`);
    this.highest = token;
    this.balance = balance;
  },
};

/** @param {string} name */
async function deposit(name) {
  const held = await lock.acquire({ data: name });
  try {
    const { balance } = account;
    await new Promise((resolve) => setTimeout(resolve, 10)); // work; give it held.signal
    held.assertHeld(); // throws when the lock may be another's by now, after a pause for instance
    account.write(balance + 1, held.fencingToken);
  } finally {
    await held.release(); // with TypeScript: await using held = …
  }
}

await Promise.all(["ann", "bob", "cem", "dee"].map(deposit));
console.log("four deposits, one at a time:", account.balance);

const held = await lock.acquire();
console.log("somebody holds it:", (await lock.tryAcquire()) === null);
try {
  await lock.acquire({ timeout: 100 });
} catch (error) {
  if (!(error instanceof TimeoutError)) throw error;
  console.log(error.message);
}

// The key of the holder is deleted by hand: the holder learns it with its next renewal.
await etcd.deleteNode(held.key);
await new Promise((resolve) => held.signal.addEventListener("abort", resolve));
console.log("lost:", held.signal.reason.reason);
await held.release();

await etcd.deleteNode("/example-lock", { recursive: true });
await etcd.close();
