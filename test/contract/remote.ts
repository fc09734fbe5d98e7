import { completeOptions } from "../../src/client/normalize-options.js";
import { Cluster } from "../../src/cluster/cluster.js";
import type { KeySpace } from "../../src/key-space/key-space.js";
import { RemoteKeySpace } from "../../src/key-space/remote/remote-key-space.js";
import { type Release, startEtcd } from "../support/etcd.js";
import type { Arrangement } from "./arrangement.js";

const BROKEN_ON_3_5 = "etcd 3.5 rejects an update of a directory with HTTP 500, errorCode 300";

const SKIPS: Readonly<Partial<Record<Release, Arrangement["skips"]>>> = {
  "3.5": {
    "an update of a directory keeps its createdIndex and its children": BROKEN_ON_3_5,
    "an update of a directory returns a new modifiedIndex but stores the old one": BROKEN_ON_3_5,
    "an update of a directory is an event of the directory, not of its contents": BROKEN_ON_3_5,
    "a directory's TTL can be changed and removed": BROKEN_ON_3_5,
    "an update can refresh a directory": BROKEN_ON_3_5,
    "a file that ends after its directory has its own TTL when the directory's is extended":
      BROKEN_ON_3_5,
    "a file keeps its TTL when that of its directory is first shortened, then removed":
      BROKEN_ON_3_5,
  },
};

/** The v2 API of etcd over the network. */
export function remote(release: Release): Arrangement {
  return {
    name: "remote key space",
    skips: SKIPS[release] ?? {},
    async start() {
      const etcd = await startEtcd({ release });
      const keySpace = keySpaceOf(etcd.urls);
      return {
        keySpace,
        another: async () => keySpaceOf(etcd.urls),
        async stop() {
          await keySpace.close();
          await etcd.stop();
        },
      };
    },
  };
}

/** Opens a remote key space on these endpoints. */
export function keySpaceOf(urls: readonly string[]): KeySpace {
  const { cluster, deserialize } = completeOptions({ urls });
  return new RemoteKeySpace(new Cluster(cluster), deserialize);
}
