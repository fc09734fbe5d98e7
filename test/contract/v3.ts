import { completeOptions } from "../../src/client/normalize-options.js";
import { Cluster } from "../../src/cluster/cluster.js";
import type { KeySpace } from "../../src/key-space/key-space.js";
import { JsonGateway } from "../../src/key-space/v3/json-gateway.js";
import { V3KeySpace } from "../../src/key-space/v3/v3-key-space.js";
import { type Release, startEtcd } from "../support/etcd.js";
import type { Arrangement } from "./arrangement.js";

const SURVIVES =
  "v3 cannot delete and put a key in one transaction: its createdIndex survives a set";

const AS_LIVE = "history tells what a live watch would have told";
const LONGER = "history holds 10,000 events instead of 1,000";

/** Of the key space itself, and so of the gateway as well. */
export const SKIPS: Arrangement["skips"] = {
  "history also tells of hidden keys below a recursive watch": AS_LIVE,
  "history also tells of the delete of a directory whose name the watched key begins with": AS_LIVE,
  "a waitIndex before the history is refused with 401, a stream too": LONGER,
  "the last 1000 events are held": LONGER,
  "a set gives the file a new createdIndex": SURVIVES,
  "a refresh by set gives a new createdIndex": SURVIVES,
};

/** The v3 API of an etcd that need not have another, over the network. */
export function v3(release: Release): Arrangement {
  return {
    name: "v3 key space",
    skips: SKIPS,
    async start() {
      const etcd = await startEtcd({ release, v2: false });
      const keySpace = v3KeySpaceOf(etcd.urls);
      return {
        keySpace,
        another: async () => v3KeySpaceOf(etcd.urls),
        async stop() {
          await keySpace.close();
          await etcd.stop();
        },
      };
    },
  };
}

/** A v3 key space on these endpoints. */
export function v3KeySpaceOf(urls: readonly string[], keyPrefix = ""): KeySpace {
  const { cluster } = completeOptions({ urls });
  return new V3KeySpace(new JsonGateway(new Cluster(cluster), undefined), { keyPrefix });
}
