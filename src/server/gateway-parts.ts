import { checkOptions, completeOptions } from "../client/normalize-options.js";
import type { EtcdClientOptions } from "../client/options.js";
import { RemoteV3Api } from "../etcd3/remote-v3-api.js";
import type { V3Api } from "../etcd3/v3-api.js";
import type { ClusterApi } from "../key-space/cluster-api.js";
import { CachingKeySpace } from "../key-space/decorators/caching-key-space.js";
import { V3ClusterApi } from "../key-space/v3/admin/v3-cluster-api.js";
import { v3Probes } from "../key-space/v3/admin/v3-probes.js";
import { authPrefix, KeySchema } from "../key-space/v3/schema/key-schema.js";
import { StoreGeneration } from "../key-space/v3/schema/store-generation.js";
import { V3KeySpace } from "../key-space/v3/v3-key-space.js";
import type { Clock } from "../time/clock.js";
import { ClusterIdentity } from "./cluster-identity.js";
import { GatewayClusterApi } from "./gateway-cluster-api.js";
import { Readiness } from "./probes/readiness.js";
import { V3MemberProbe } from "./probes/v3-member-probe.js";

/** The parts of a gateway, all of them on one cluster. */
export interface GatewayParts {
  readonly api: V3Api;
  /** Of the cluster, not as the gateway's clients see it. */
  readonly members: ClusterApi;
  readonly keySpace: V3KeySpace;
  /** Without a trailing slash. */
  readonly keyPrefix: string;
  /** URLs of the cluster's endpoints. */
  readonly endpoints: readonly string[];
  /** Users and roles of v2 auth. */
  readonly authKeySpace: CachingKeySpace;
  readonly clusterApi: ClusterApi;
  readonly identity: ClusterIdentity;
  readonly readiness: Readiness;
  readonly clock: Clock;
}

/** Keeps the shared watch open between two long polls, and no longer: each event costs etcd and the gateway CPU time. */
const WATCH_IDLE_TIMEOUT_MS = 10_000;

/** @throws TypeError for invalid options */
export function gatewayParts(options: EtcdClientOptions): GatewayParts {
  checkOptions(options);
  const complete = completeOptions(options);
  const { cluster: settings, keyPrefix, credentials } = complete;
  const { clock, timeout } = settings;
  const api = new RemoteV3Api(settings, credentials, v3Probes);
  // Shared: when one key space finds that the store was replaced, the other one knows it too.
  const generation = new StoreGeneration();
  const common = {
    clock,
    timeout,
    generation,
    recordsWrites: complete.resolvesUnknownWrites,
  };
  const keySpace = new V3KeySpace(api, {
    ...common,
    keyPrefix,
    oneEventPerPoll: true,
    idleTimeout: WATCH_IDLE_TIMEOUT_MS,
  });
  const auth = new V3KeySpace(api, { ...common, keyPrefix: authPrefix(keyPrefix) });
  // A key of each tree that every request reads: v3 auth may permit only one of them.
  const probed = [keyPrefix, authPrefix(keyPrefix)].map((prefix) => new KeySchema(prefix).file(""));
  const members = new V3ClusterApi(api.cluster, api, keySpace);
  return {
    api,
    members,
    keySpace,
    keyPrefix,
    endpoints: settings.urls,
    // Every request reads it first.
    authKeySpace: new CachingKeySpace(auth, clock),
    clusterApi: new GatewayClusterApi(members, keyPrefix),
    identity: new ClusterIdentity(api),
    readiness: new Readiness(new V3MemberProbe(api, probed), clock),
    clock,
  };
}
