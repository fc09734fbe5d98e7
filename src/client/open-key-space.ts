import { Cluster } from "../cluster/cluster.js";
import { RemoteV3Api } from "../etcd3/remote-v3-api.js";
import type { ClusterApi } from "../key-space/cluster-api.js";
import type { KeySpace } from "../key-space/key-space.js";
import { RemoteClusterApi } from "../key-space/remote/remote-cluster-api.js";
import { RemoteKeySpace } from "../key-space/remote/remote-key-space.js";
import { V3ClusterApi } from "../key-space/v3/admin/v3-cluster-api.js";
import { v3Probes } from "../key-space/v3/admin/v3-probes.js";
import { V3KeySpace } from "../key-space/v3/v3-key-space.js";
import type { ClientSettings } from "./normalize-options.js";

/** The key space of a client, and the API of its cluster. */
interface OpenedKeySpace {
  readonly keySpace: KeySpace;
  readonly clusterApi: ClusterApi;
}

/** Opens the key space of a cluster through the API that stores the data. */
export function openKeySpace(settings: ClientSettings): OpenedKeySpace {
  return settings.api === "v3" ? openV3(settings) : openV2(settings);
}

function openV2(options: ClientSettings): OpenedKeySpace {
  const { cluster: settings, deserialize, resolvesUnknownWrites } = options;
  const cluster = new Cluster(settings);
  const resolveTimeout = resolvesUnknownWrites ? settings.timeout : undefined;
  return {
    keySpace: new RemoteKeySpace(cluster, deserialize, resolveTimeout),
    clusterApi: new RemoteClusterApi(cluster),
  };
}

function openV3(options: ClientSettings): OpenedKeySpace {
  const { cluster: settings, keyPrefix, credentials, resolvesUnknownWrites } = options;
  const { clock, timeout } = settings;
  const api = new RemoteV3Api(settings, credentials, v3Probes);
  const keySpace = new V3KeySpace(api, {
    keyPrefix,
    clock,
    timeout,
    recordsWrites: resolvesUnknownWrites,
  });
  return { keySpace, clusterApi: new V3ClusterApi(api.cluster, api, keySpace) };
}
