// @ts-check
// List child keys in order: a whole tree, sorted at every level.
import { EtcdClient, KeyNotFoundError } from "etcdnet";

const urls = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ urls });
const directory = "/example-list-in-order";

for (const name of ["pear", "apple", "citrus/lime", "citrus/lemon", "_hidden"]) {
  await etcd.setNode(`${directory}/${name}`, name.length.toString());
}

/** @param {import("etcdnet").EtcdNode} node */
function print(node, indent = "") {
  console.log(`${indent}${node.key}${node.dir ? "/" : ` = ${node.value}`}`);
  for (const child of node.nodes ?? []) print(child, `${indent}  `);
}

// Without `recursive` one level is listed, without `sorted` the order is random. Keys that begin
// with `_` are never listed, only got by their name.
const { node } = await etcd.getNode(directory, { recursive: true, sorted: true });
print(node);

await etcd.deleteNode(directory, { recursive: true });
try {
  await etcd.getNode(directory);
} catch (error) {
  if (!(error instanceof KeyNotFoundError)) throw error;
  console.log(`${error.key} does not exist`);
}

await etcd.close();
