// @ts-check
// Election: one candidate leads, the others wait, and observers see the leader.
import { EtcdClient } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ endpoints });
const election = etcd.election("/example-election", { ttl: 10 }); // seconds

const stop = new AbortController();
/** @type {string[]} */
const seen = [];
/** @param {string} value */
const until = async (value) => {
  while (seen.at(-1) !== value) await new Promise((resolve) => setTimeout(resolve, 10));
};
const observing = (async () => {
  for await (const leader of election.observe({ signal: stop.signal })) {
    seen.push(leader?.value ?? "no leader");
  }
})();
await until("no leader");

const ann = await election.campaign("ann at 10.0.0.1");
const standby = election.campaign("bob at 10.0.0.2"); // waits until ann resigns

await until("ann at 10.0.0.1");
ann.assertHeld(); // call it before each step that only the leader may do
await ann.proclaim("ann at 10.0.0.1, ready");
await until("ann at 10.0.0.1, ready");
await ann.resign(); // if a leader dies instead, the next one leads after its TTL

const bob = await standby;
await until("bob at 10.0.0.2");
console.log("bob leads after ann:", bob.fencingToken > ann.fencingToken);
await bob.resign();
await until("no leader");

stop.abort();
await observing;
console.log("observed:", seen.join(", then "));

await etcd.deleteNode("/example-election", { recursive: true });
await etcd.close();
