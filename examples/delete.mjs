// @ts-check
// Delete: a file, an empty directory, and a directory with its content.
import { EtcdClient, isEtcdError } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ endpoints });
const directory = "/example-delete";

await etcd.setNode(`${directory}/a`, "1");
await etcd.setNode(`${directory}/b`, "2");

const { prevNode } = await etcd.deleteNode(`${directory}/a`);
console.log(`${prevNode?.key} is deleted, its value was ${prevNode?.value}`);

try {
  await etcd.deleteNode(`${directory}/a`);
} catch (error) {
  if (!isEtcdError(error, "KeyNotFound")) throw error;
  console.log(`${error.key} does not exist any more`);
}

// A directory is deleted only with `dir` if it is empty, or with `recursive`.
for (const options of [{}, { dir: true }]) {
  try {
    await etcd.deleteNode(directory, options);
  } catch (error) {
    if (!isEtcdError(error, "NotFile") && !isEtcdError(error, "DirNotEmpty")) throw error;
    console.log(`${error.name}: ${error.detail}`);
  }
}

await etcd.deleteNode(directory, { recursive: true });
console.log(`${directory} is deleted with its content`);

await etcd.close();
