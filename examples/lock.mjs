// @ts-check
// Lock: one holder at a time, in the order of the calls. The resource checks the fencing token.
import { EtcdClient, isEtcdError } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ endpoints });
const lock = etcd.lock("/example-lock", { ttl: 10 }); // seconds until the key of a dead holder expires

/** The resource that the lock protects. It rejects tokens that are lower than the highest one so far. */
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
    await new Promise((resolve) => setTimeout(resolve, 10)); // work; pass held.signal to it
    held.assertHeld(); // throws if the lock may be lost, for example after a pause
    account.write(balance + 1, held.fencingToken);
  } finally {
    await held.release(); // with TypeScript: await using held = …
  }
}

await Promise.all(["ann", "bob", "cem", "dee"].map(deposit));
console.log("four deposits, one at a time:", account.balance);

const held = await lock.acquire();
console.log("tryAcquire of a held lock returns null:", (await lock.tryAcquire()) === null);
try {
  await lock.acquire({ timeout: 100 });
} catch (error) {
  if (!isEtcdError(error, "Timeout")) throw error;
  console.log(error.message);
}

// If the holder's key is deleted by hand, its next renewal detects the loss.
await etcd.deleteNode(held.key);
await new Promise((resolve) => held.signal.addEventListener("abort", resolve));
console.log("lost:", held.signal.reason.reason);
await held.release();

await etcd.deleteNode("/example-lock", { recursive: true });
await etcd.close();
