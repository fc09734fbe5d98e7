/** A member of the cluster, in the format of `/v2/members`. */
export interface Member {
  /** Hexadecimal, lower-case, not padded. */
  readonly id: string;
  /** Empty until the member has started. */
  readonly name: string;
  readonly peerURLs: readonly string[];
  /** Empty until the member has started. */
  readonly clientURLs: readonly string[];
}

/** `/version` of one member. */
export interface Version {
  /** Release of the member that responded, e.g. `3.4.23`. */
  readonly etcdserver: string;
  /** Version that the members have agreed on; `not_decided` while the cluster starts. */
  readonly etcdcluster: string;
  /** Only from an etcdnet gateway: the prefix of its keys in v3. */
  readonly gateway?: { readonly keyPrefix: string };
}

/** Health of one endpoint, from its `/health`, or the reason why it is unknown. */
export interface EndpointHealth {
  readonly endpoint: string;
  readonly healthy: boolean;
  /** etcd's own reason (3.5 and later), or why the endpoint could not be reached. */
  readonly reason?: string;
}

/** `/v2/stats/store`: counters of the member that responded, since its start. */
export interface StoreStats {
  readonly getsSuccess: number;
  readonly getsFail: number;
  readonly setsSuccess: number;
  readonly setsFail: number;
  readonly deleteSuccess: number;
  readonly deleteFail: number;
  readonly updateSuccess: number;
  readonly updateFail: number;
  readonly createSuccess: number;
  readonly createFail: number;
  readonly compareAndSwapSuccess: number;
  readonly compareAndSwapFail: number;
  readonly compareAndDeleteSuccess: number;
  readonly compareAndDeleteFail: number;
  readonly expireCount: number;
  /** Open watches. */
  readonly watchers: number;
}

/** `/v2/stats/self` of the member that responded. */
export interface SelfStats {
  readonly name: string;
  readonly id: string;
  /** `StateLeader` or `StateFollower`. etcd derives it from its traffic, so it may be stale. */
  readonly state: string;
  /** RFC 3339. */
  readonly startTime: string;
  readonly leaderInfo: {
    /** ID of the leader; empty when there is none. */
    readonly leader: string;
    /** A Go duration such as `3.068790578s`. */
    readonly uptime: string;
    /** RFC 3339. */
    readonly startTime: string;
  };
  readonly recvAppendRequestCnt: number;
  /** Packages per second; absent when 0. */
  readonly recvPkgRate?: number;
  /** Bytes per second; absent when 0. */
  readonly recvBandwidthRate?: number;
  readonly sendAppendRequestCnt: number;
  /** Packages per second; absent when 0. */
  readonly sendPkgRate?: number;
  /** Bytes per second; absent when 0. */
  readonly sendBandwidthRate?: number;
}

/** `/v2/stats/leader`: the leader's view of its followers. */
export interface LeaderStats {
  readonly leader: string;
  /** By member ID. */
  readonly followers: Readonly<Record<string, FollowerStats>>;
}

/** The leader's record of one follower. */
export interface FollowerStats {
  /** Milliseconds. */
  readonly latency: {
    readonly current: number;
    readonly average: number;
    readonly standardDeviation: number;
    readonly minimum: number;
    readonly maximum: number;
  };
  /** Append requests. */
  readonly counts: { readonly fail: number; readonly success: number };
}
