import { checkOptions, completeOptions } from "../client/normalize-options.js";
import type { EtcdClientOptions } from "../client/options.js";
import { RemoteV3Api } from "../etcd3/remote-v3-api.js";
import type { ClusterApi } from "../key-space/cluster-api.js";
import { CachingKeySpace } from "../key-space/decorators/caching-key-space.js";
import type { KeySpace } from "../key-space/key-space.js";
import { V3ClusterApi } from "../key-space/v3/admin/v3-cluster-api.js";
import { authPrefix } from "../key-space/v3/schema/key-schema.js";
import { StoreGeneration } from "../key-space/v3/schema/store-generation.js";
import { V3KeySpace } from "../key-space/v3/v3-key-space.js";
import type { Clock } from "../time/clock.js";
import { ClusterIdentity } from "./cluster-identity.js";
import { GatewayClusterApi } from "./gateway-cluster-api.js";

/** What a gateway serves from, all of it on one cluster. */
export interface GatewayParts {
  readonly keySpace: V3KeySpace;
  /** Origins of the cluster's endpoints. */
  readonly endpoints: readonly string[];
  /** Users and roles of v2 auth. */
  readonly authKeySpace: KeySpace;
  readonly clusterApi: ClusterApi;
  readonly identity: ClusterIdentity;
  readonly clock: Clock;
}

/** Milliseconds: who polls comes back. */
const LINGER = 600_000;

/** @throws TypeError for options that make no sense */
export function gatewayParts(options: EtcdClientOptions): GatewayParts {
  checkOptions(options);
  const { cluster: settings, keyPrefix, credentials } = completeOptions(options);
  const { clock } = settings;
  const api = new RemoteV3Api(settings, credentials);
  // Either notices another store that the other one meets.
  const generation = new StoreGeneration();
  const watches = { oneEventPerPoll: true, linger: LINGER };
  const keySpace = new V3KeySpace(api, { keyPrefix, clock, generation, ...watches });
  const auth = new V3KeySpace(api, { keyPrefix: authPrefix(keyPrefix), clock, generation });
  const members = new V3ClusterApi(api.cluster, api, keySpace);
  return {
    keySpace,
    endpoints: settings.urls,
    // Every request looks there first.
    authKeySpace: new CachingKeySpace(auth, clock),
    clusterApi: new GatewayClusterApi(members, keyPrefix),
    identity: new ClusterIdentity(api),
    clock,
  };
}
