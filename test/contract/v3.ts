import { completeOptions } from "../../src/client/normalize-options.js";
import type { EtcdClientOptions } from "../../src/client/options.js";
import { RemoteV3Api } from "../../src/etcd3/remote-v3-api.js";
import type { KeySpace } from "../../src/key-space/key-space.js";
import { v3Probes } from "../../src/key-space/v3/admin/v3-probes.js";
import { V3KeySpace } from "../../src/key-space/v3/v3-key-space.js";
import { type HttpProxy, startHttpProxy } from "../connections/http-proxy.js";
import { type Release, startEtcd } from "../support/etcd.js";
import type { Arrangement } from "./arrangement.js";

const KEEPS_CREATED_INDEX =
  "v3 cannot delete and put a key in one transaction, so a set keeps the createdIndex";

const MOVES_CONTENTS =
  "a new TTL of a directory moves its contents to another lease, which changes each node";
const LONGER_HISTORY = "the history holds 10,000 events";

const AS_LIVE = "history delivers the same events as a live watch";

const NUL_SEPARATES = "a NUL character separates the key prefix from the records of the key space";

/** Skips of the v3 key space. The gateway has the same skips, because it uses this key space. */
export const SKIPS: Arrangement["skips"] = {
  "a set gives the file a new createdIndex": KEEPS_CREATED_INDEX,
  "a refresh with set gives a new createdIndex": KEEPS_CREATED_INDEX,
  "an update of a directory keeps its createdIndex and its children": MOVES_CONTENTS,
  "history also delivers hidden keys below a recursive watch": AS_LIVE,
  "history also delivers the deletion of a directory whose key is a text prefix of the watched key":
    AS_LIVE,
  "a name can contain a NUL character": NUL_SEPARATES,
  "the history holds the last 1000 events": LONGER_HISTORY,
  "a TTL of 0 expires at once":
    "an existing node shows a TTL of at least 1, and its lease lasts at least that long",
  "a waitIndex older than the history is refused with 401, also for a stream": LONGER_HISTORY,
};

/** The v3 API of etcd over the network. The v2 API is disabled. */
export function v3(release: Release): Arrangement {
  return arrangement("v3 key space", release, async () => undefined);
}

/** The same through an HTTP proxy, which forwards JSON but not gRPC. */
export function v3AsJson(release: Release): Arrangement {
  return arrangement("v3 key space with JSON requests", release, startHttpProxy);
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

/** Opens a v3 key space on these endpoints. */
export function v3KeySpaceOf(
  urls: readonly string[],
  keyPrefix = "",
  options: EtcdClientOptions = {},
): KeySpace {
  const { cluster } = completeOptions({ ...options, urls });
  const { clock, timeout } = cluster;
  return new V3KeySpace(new RemoteV3Api(cluster, undefined, v3Probes), {
    ...{ keyPrefix, clock, timeout },
  });
}
