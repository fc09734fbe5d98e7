// @ts-check
// Cluster: members, leader, statistics, health and version.
import { EtcdClient } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ endpoints });

const { etcdserver, etcdcluster } = await etcd.version();
console.log(`release ${etcdserver} in a cluster of version ${etcdcluster}`);

const leader = await etcd.members.leader();
for (const member of await etcd.members.list()) {
  const role = member.id === leader.id ? "leader" : "follower";
  console.log(`member ${member.name} (${role}) at ${member.clientURLs.join()}`);
}
console.log("machines:", (await etcd.machines()).join());

// Checks every endpoint. An endpoint that is down is a result, not an exception.
for (const { endpoint, healthy, reason } of await etcd.health()) {
  console.log(`${endpoint} is ${healthy ? "healthy" : `unhealthy: ${reason}`}`);
}

const self = await etcd.stats.self();
const store = await etcd.stats.store();
const { followers } = await etcd.stats.leader();
console.log(`${self.name} is in ${self.state} and has ${store.watchers} watchers`);
console.log(`the leader has ${Object.keys(followers).length} followers`);

// From the headers of the last response.
await etcd.getNode("/");
console.log(`cluster ${etcd.clusterId} is at index ${etcd.lastIndex}`);

await etcd.close();
