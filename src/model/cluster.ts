/** A member of the cluster, as `/v2/members` shows it. */
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
  /** Release of the member that answered, e.g. `3.4.23`. */
  readonly etcdserver: string;
  /** Version that the whole cluster agreed on; `not_decided` while it starts. */
  readonly etcdcluster: string;
  /** Only of an etcdnet gateway: the key prefix in v3 under which it keeps its tree. */
  readonly gateway?: { readonly keyPrefix: string };
}

/** Health of one endpoint, as its `/health` says, or why nothing could be learnt. */
export interface EndpointHealth {
  readonly endpoint: string;
  readonly healthy: boolean;
  /** etcd's own reason (3.5 and later), or what went wrong on the way to it. */
  readonly reason?: string;
}

/** `/v2/stats/store`: counters of the member that answered, since it started. */
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
  /** Watchers that wait right now. */
  readonly watchers: number;
}

/** `/v2/stats/self` of the member that answered. */
export interface SelfStats {
  readonly name: string;
  readonly id: string;
  /** `StateLeader` or `StateFollower`, guessed by etcd from its traffic: it may be stale. */
  readonly state: string;
  /** RFC 3339. */
  readonly startTime: string;
  readonly leaderInfo: {
    /** Id of the leader; empty when there is none. */
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
  /** By member id. */
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
