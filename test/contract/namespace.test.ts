import { NamespaceKeySpace } from "../../src/key-space/decorators/namespace-key-space.js";
import { describeWithEtcd } from "../support/etcd.js";
import type { Arrangement } from "./arrangement.js";
import { keySpaceContract } from "./contract.js";
import { remote } from "./remote.js";

const ROOT = "the root of a namespace is a directory like any other of the whole";

describeWithEtcd("3.4", "etcd 3.4", () => keySpaceContract(within("/a/name space/of%2Fits own")));

/** A subtree of a remote key space. */
function within(prefix: string): Arrangement {
  return {
    name: "namespace of a remote key space",
    skips: {
      "the root is a directory with the key / and without indexes of its own": ROOT,
      "the root is read only": ROOT,
      "the root cannot be deleted": ROOT,
      "a compare-and-delete of the root is refused with 102 without a detail": ROOT,
      "a refresh of the root is refused with 107": ROOT,
      "closing the key space ends its watches, and later calls are refused":
        "a namespace leaves the key space that it is part of open",
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
