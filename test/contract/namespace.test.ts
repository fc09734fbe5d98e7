import { NamespaceKeySpace } from "../../src/key-space/decorators/namespace-key-space.js";
import { describeWithEtcd } from "../support/etcd.js";
import type { Arrangement } from "./arrangement.js";
import { keySpaceContract } from "./contract.js";
import { remote } from "./remote.js";

const ROOT = "the root of a namespace is an ordinary directory of the underlying key space";

describeWithEtcd("3.4", "etcd 3.4", () =>
  keySpaceContract(namespace("/a/name space/of%2Fits own")),
);

/** A namespace in a remote key space. */
function namespace(prefix: string): Arrangement {
  return {
    name: "namespace of a remote key space",
    skips: {
      "the root is a directory with the key / and the indexes 0": ROOT,
      "the root is read only": ROOT,
      "the root cannot be deleted": ROOT,
      "a compare-and-delete of the root is refused with 102 without a detail": ROOT,
      "a refresh of the root is refused with 107": ROOT,
      "closing the key space ends its watches, and later calls are refused":
        "closing a namespace does not close the underlying key space",
    },
    async start() {
      const { keySpace, another, stop } = await remote("3.4").start();
      return {
        keySpace: new NamespaceKeySpace(keySpace, prefix),
        another: async () => new NamespaceKeySpace(await another(), prefix),
        stop,
      };
    },
  };
}
