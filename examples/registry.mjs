// @ts-check
// A registry: instances of services register while they live, and are found.
import { EtcdClient, Registry } from "etcdnet";

const urls = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ urls });
const registry = new Registry(etcd, "/example-registry", {
  parse: (metadata) => new URL(String(metadata)), // what throws makes an instance malformed
  onMalformed: ({ key, value }) => console.log("malformed:", key, "=", value),
});

const mail = new URL("http://10.0.0.1:25");
const one = await registry.register("mail", { id: "one", metadata: mail }, { ttl: 10 });

const stop = new AbortController();
const watching = (async () => {
  for await (const { type, instance } of registry.watch("mail", { signal: stop.signal })) {
    console.log(type, instance.id, instance.metadata.host);
    if (type === "down") stop.abort();
  }
})();

const two = await registry.register("mail", { id: "two", metadata: new URL("http://10.0.0.2:25") });
await one.update(new URL("http://10.0.0.1:26"));
await etcd.setNode("/example-registry/mail/three", "somebody's note");

const found = await registry.discover("mail");
console.log("found:", found.map(({ id, metadata }) => `${id} at ${metadata.host}`).join(", "));

await two.close(); // one that dies is down when its TTL is over
await watching;
await one.close();

await etcd.deleteNode("/example-registry", { recursive: true });
await etcd.close();
