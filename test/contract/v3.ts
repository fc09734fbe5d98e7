import { completeOptions } from "../../src/client/normalize-options.js";
import type { EtcdClientOptions } from "../../src/client/options.js";
import { RemoteV3Api } from "../../src/etcd3/remote-v3-api.js";
import type { KeySpace } from "../../src/key-space/key-space.js";
import { v3Probes } from "../../src/key-space/v3/admin/v3-probes.js";
import { V3KeySpace } from "../../src/key-space/v3/v3-key-space.js";
import { type HttpProxy, startHttpProxy } from "../connections/http-proxy.js";
import { type Release, startEtcd } from "../support/etcd.js";
import type { Arrangement } from "./arrangement.js";

const SURVIVES =
  "v3 cannot delete and put a key in one transaction: its createdIndex survives a set";

const MOVES =
  "a new TTL of a directory moves what is in it to another lease, which is a change of each node";
const REACHES_BACK = "the history reaches back 10,000 events";

const AS_LIVE = "history tells what a live watch would have told";

const ZERO = "a zero character stands between a prefix and its records";

/** Of the key space itself, and so of the gateway as well. */
export const SKIPS: Arrangement["skips"] = {
  "a set gives the file a new createdIndex": SURVIVES,
  "a refresh by set gives a new createdIndex": SURVIVES,
  "an update of a directory keeps its createdIndex and its children": MOVES,
  "history also tells of hidden keys below a recursive watch": AS_LIVE,
  "history also tells of the delete of a directory whose name the watched key begins with": AS_LIVE,
  "a zero character in a name is one like any other": ZERO,
  "the last 1000 events are held": REACHES_BACK,
  "a TTL of 0 expires at once":
    "what is there shows a TTL of at least 1, and leases last that long",
  "a waitIndex before the history is refused with 401, a stream too": REACHES_BACK,
};

/** The v3 API of an etcd that need not have another, over the network. */
export function v3(release: Release): Arrangement {
  return arrangement("v3 key space", release, async () => undefined);
}

/** The same by an HTTP proxy: there only JSON comes through. */
export function v3AsJson(release: Release): Arrangement {
  return arrangement("v3 key space, asked in JSON", release, startHttpProxy);
}

function arrangement(
  name: string,
  release: Release,
  startProxy: () => Promise<HttpProxy | undefined>,
): Arrangement {
  return {
    name,
    skips: SKIPS,
    async start() {
      const etcd = await startEtcd({ release, v2: false });
      const proxy = await startProxy();
      const open = () => v3KeySpaceOf(etcd.urls, "", { useProxy: proxy?.url ?? false });
      const keySpace = open();
      return {
        keySpace,
        another: async () => open(),
        async stop() {
          await keySpace.close();
          await proxy?.[Symbol.asyncDispose]();
          await etcd.stop();
        },
      };
    },
  };
}

/** A v3 key space on these endpoints. */
export function v3KeySpaceOf(
  urls: readonly string[],
  keyPrefix = "",
  options: EtcdClientOptions = {},
): KeySpace {
  const { cluster } = completeOptions({ ...options, urls });
  const { clock } = cluster;
  return new V3KeySpace(new RemoteV3Api(cluster, undefined, v3Probes), { keyPrefix, clock });
}
