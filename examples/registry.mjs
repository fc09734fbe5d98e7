// @ts-check
// Registry: instances of services are registered while their processes run.
import { EtcdClient } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ endpoints });
const registry = etcd.registry("/example-registry", {
  parse: (metadata) => new URL(String(metadata)), // if it throws, the instance is malformed
  onMalformed: ({ key, value }) => console.log("malformed:", key, "=", value),
});

const mail = new URL("http://10.0.0.1:25");
const one = await registry.register("mail", { id: "one", metadata: mail }, { ttl: 10 });

const two = await registry.register("mail", { id: "two", metadata: new URL("http://10.0.0.2:25") });
await etcd.setNode("/example-registry/mail/three", "not an instance");

const found = await registry.discover("mail");
console.log("found:", found.map(({ id, metadata }) => `${id} at ${metadata.host}`).join(", "));

// First the instances that exist, then their changes.
for await (const { type, instance } of registry.watch("mail")) {
  console.log(type, instance.id, instance.metadata.host);
  if (type === "up" && instance.id === "two") await one.update(new URL("http://10.0.0.1:26"));
  if (type === "changed") await two.close(); // an instance that dies is down after its TTL
  if (type === "down") break;
}
await one.close();

await etcd.deleteNode("/example-registry", { recursive: true });
await etcd.close();
