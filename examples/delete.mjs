// @ts-check
// Delete: a file, an empty directory, a directory with all that is in it.
import { DirNotEmptyError, EtcdClient, KeyNotFoundError, NotFileError } from "etcdnet";

const urls = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ urls });
const directory = "/example-delete";

await etcd.setNode(`${directory}/a`, "1");
await etcd.setNode(`${directory}/b`, "2");

const { prevNode } = await etcd.deleteNode(`${directory}/a`);
console.log(`${prevNode?.key} is deleted, it was ${prevNode?.value}`);

try {
  await etcd.deleteNode(`${directory}/a`);
} catch (error) {
  if (!(error instanceof KeyNotFoundError)) throw error;
  console.log(`${error.key} is gone already`);
}

// A directory is not deleted by accident.
for (const options of [{}, { dir: true }]) {
  try {
    await etcd.deleteNode(directory, options);
  } catch (error) {
    if (!(error instanceof NotFileError || error instanceof DirNotEmptyError)) throw error;
    console.log(`${error.name}: ${error.detail}`);
  }
}

await etcd.deleteNode(directory, { recursive: true });
console.log(`${directory} is deleted with all that was in it`);

await etcd.close();
