// @ts-check
// List in order: a complete subtree, sorted at every level.
import { EtcdClient, isEtcdError } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ endpoints });
const directory = "/example-list-in-order";

for (const name of ["pear", "apple", "citrus/lime", "citrus/lemon", "_hidden"]) {
  await etcd.setNode(`${directory}/${name}`, name.length.toString());
}

/** @param {import("etcdnet").EtcdNode} node */
function print(node, indent = "") {
  console.log(`${indent}${node.key}${node.dir ? "/" : ` = ${node.value}`}`);
  for (const child of node.nodes ?? []) print(child, `${indent}  `);
}

// Without `recursive`, one level is listed. Without `sorted`, the order is random. Keys that begin
// with `_` are hidden: they are never listed, and you read them by their name.
const { node } = await etcd.getNode(directory, { recursive: true, sorted: true });
print(node);

await etcd.deleteNode(directory, { recursive: true });
try {
  await etcd.getNode(directory);
} catch (error) {
  if (!isEtcdError(error, "KeyNotFound")) throw error;
  console.log(`${error.key} does not exist`);
}

await etcd.close();
