// @ts-check
// JSON deserializer: your own function parses responses. This one freezes them.
import { EtcdClient } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({
  endpoints,
  // The client checks the result. The default refuses the property `__proto__`; JSON.parse alone
  // accepts it.
  jsonDeserializer: (text) => JSON.parse(text, (_key, value) => Object.freeze(value)),
});

const { node } = await etcd.setNode("/example-json-deserializer", "ice");
console.log("the node is frozen:", Object.isFrozen(node));

await etcd.deleteNode("/example-json-deserializer");
await etcd.close();
