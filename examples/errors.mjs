// @ts-check
// Errors: handle one class, a group of classes, or all of them.
import { EtcdClient, isEtcdError, KeyNotFoundError } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ endpoints });
const unreachable = new EtcdClient({ endpoints: "http://127.0.0.1:1" });

/** @param {() => Promise<unknown>} call */
async function attempt(call) {
  try {
    await call();
  } catch (error) {
    if (isEtcdError(error, "KeyNotFound")) {
      console.log(`one class: ${error.name}, ${error.key} does not exist`);
    } else if (isEtcdError(error, "NodeExist")) {
      console.log(`one class: ${error.name}, ${error.key} exists`);
    } else if (isEtcdError(error, "EtcdCommon")) {
      console.log(`a group (100 to 199): ${error.name}, code ${error.errorCode}, ${error.reason}`);
    } else if (isEtcdError(error, "ClusterUnavailable")) {
      console.log(
        `no endpoint responded: ${error.attempts.map(({ endpoint }) => endpoint).join()}`,
      );
    } else if (isEtcdError(error)) {
      console.log(`any other error of etcdnet: ${error.code}, ${error.message}`);
    } else {
      console.log(`an error in this program: ${error}`);
    }
  }
}

await etcd.setNode("/example-errors/file", "content");

await attempt(() => etcd.getNode("/example-errors/missing"));
await attempt(() => etcd.createNode("/example-errors/file", "more"));
await attempt(() => etcd.setNode("/example-errors", "a value for a directory"));
await attempt(() => unreachable.getNode("/example-errors/file"));
await attempt(() => etcd.getNode("example-errors"));

// `instanceof` works too, but not for errors of a second copy of the package in the same process.
const error = await etcd.getNode("/example-errors/missing").catch((reason) => reason);
console.log("instanceof:", error instanceof KeyNotFoundError);

await etcd.deleteNode("/example-errors", { recursive: true });
await unreachable.close();
await etcd.close();
