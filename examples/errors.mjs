// @ts-check
// Exceptions: handled by one class, by group, or all at once.
import {
  ClusterUnavailableError,
  EtcdClient,
  EtcdCommonError,
  EtcdError,
  isEtcdError,
  KeyNotFoundError,
} from "etcdnet";

const urls = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ urls });
const nowhere = new EtcdClient({ urls: ["http://127.0.0.1:1"] });

/** @param {() => Promise<unknown>} call */
async function attempt(call) {
  try {
    await call();
  } catch (error) {
    if (error instanceof KeyNotFoundError) {
      console.log(`one class: ${error.name}, ${error.detail} is missing`);
    } else if (isEtcdError(error, "NodeExist")) {
      // The same by `code`, for programs in which two copies of the package meet.
      console.log(`one class: ${error.name}, ${error.key} exists`);
    } else if (error instanceof EtcdCommonError) {
      console.log(`a group (100 to 199): ${error.name}, code ${error.errorCode}, ${error.reason}`);
    } else if (error instanceof ClusterUnavailableError) {
      console.log(`nobody answered: ${error.attempts.map(({ endpoint }) => endpoint).join()}`);
    } else if (error instanceof EtcdError) {
      console.log(`anything else of this library: ${error.code}, ${error.message}`);
    } else {
      console.log(`a mistake in the program: ${error}`);
    }
  }
}

await etcd.setNode("/example-errors/file", "content");

await attempt(() => etcd.getNode("/example-errors/missing"));
await attempt(() => etcd.createNode("/example-errors/file", "more"));
await attempt(() => etcd.setNode("/example-errors", "a value for a directory"));
await attempt(() => nowhere.getNode("/example-errors/file"));
await attempt(() => etcd.getNode("example-errors"));

await etcd.deleteNode("/example-errors", { recursive: true });
await nowhere.close();
await etcd.close();
