// @ts-check
// Custom JSON deserializer: answers are read by a function of your own, here one that freezes them.
import { EtcdClient } from "etcdnet";

const urls = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({
  urls,
  // Whatever it returns is checked as any other answer. Unlike the default, JSON.parse takes
  // `__proto__` for a key like any other; if that matters to you, use a parser that refuses it.
  jsonDeserializer: (text) => JSON.parse(text, (_key, value) => Object.freeze(value)),
});

const { node } = await etcd.setNode("/example-json-deserializer", "ice");
console.log("the node is frozen:", Object.isFrozen(node));

await etcd.deleteNode("/example-json-deserializer");
await etcd.close();
