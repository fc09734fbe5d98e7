// @ts-check
// An election: one leads, others stand by, everybody sees who leads.
import { Election, EtcdClient } from "etcdnet";

const urls = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ urls });
const election = new Election(etcd, "/example-election", { ttl: 10 });

const stop = new AbortController();
/** @type {string[]} */
const seen = [];
/** @param {string} value */
const until = async (value) => {
  while (seen.at(-1) !== value) await new Promise((resolve) => setTimeout(resolve, 10));
};
const observing = (async () => {
  for await (const leader of election.observe({ signal: stop.signal })) {
    seen.push(leader?.value ?? "nobody");
  }
})();
await until("nobody");

const ann = await election.campaign("ann at 10.0.0.1");
const standby = election.campaign("bob at 10.0.0.2"); // waits for its turn

await until("ann at 10.0.0.1");
ann.assertHeld(); // before each step that only the leader may do, with ann.fencingToken
await ann.proclaim("ann at 10.0.0.1, ready");
await until("ann at 10.0.0.1, ready");
await ann.resign(); // a leader that dies is followed when its TTL is over

const bob = await standby;
await until("bob at 10.0.0.2");
console.log("bob leads after ann:", bob.fencingToken > ann.fencingToken);
await bob.resign();
await until("nobody");

stop.abort();
await observing;
console.log("seen:", seen.join(", then "));

await etcd.deleteNode("/example-election", { recursive: true });
await etcd.close();
