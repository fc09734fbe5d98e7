import type { Checked } from "./checked.js";
import type { V2Facts } from "./v2-census.js";

/** What one member says of itself, without a change of its state or its log. */
export interface MemberState {
  /** Hexadecimal, as in the list of members. */
  readonly id: string;
  readonly clusterId: string;
  /** The release, such as `3.5.35`. */
  readonly version: string;
  /** The version that the members have agreed on, such as `3.5.0`. */
  readonly clusterVersion: Checked<string>;
  /** Whether the member knows a leader. */
  readonly hasLeader: boolean;
  /** Alarms such as `NOSPACE`. */
  readonly alarms: readonly string[];
  /** Size of the v3 store's file in bytes, the part in use, and its limit. */
  readonly dbSize: number;
  readonly dbSizeInUse: number;
  readonly quota: Checked<number>;
  readonly revision: number;
  readonly compactRevision: Checked<number>;
  /** Whether the member serves the v2 API. */
  readonly servesV2: Checked<boolean>;
}

/** One of the endpoints that were given. */
export interface EndpointFacts {
  readonly url: string;
  readonly state: Checked<MemberState>;
}

/** A member in the cluster's own list. */
export interface ListedMember {
  readonly id: string;
  /** Empty until the member has started. */
  readonly name: string;
  readonly isLearner: boolean;
  readonly clientURLs: readonly string[];
}

/** Users and roles of v2 auth, without the role root, which always exists. */
export interface V2Auth {
  readonly isEnabled: boolean;
  readonly users: readonly string[];
  readonly roles: readonly string[];
}

/** What the endpoints of a cluster show. */
export interface ClusterFacts {
  readonly endpoints: readonly EndpointFacts[];
  readonly members: Checked<readonly ListedMember[]>;
  /** Undefined if no endpoint serves the v2 API. */
  readonly v2: Checked<V2Facts> | undefined;
  readonly v2Auth: Checked<V2Auth> | undefined;
  /** Whether the v3 API needs a user. */
  readonly v3Auth: Checked<boolean>;
  /** Prefix of the v3 keys that a migration would write, and how many keys have it. */
  readonly keyPrefix: string;
  readonly v3Keys: Checked<number>;
}
