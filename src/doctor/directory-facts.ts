import type { Checked } from "./checked.js";
import type { V2Auth } from "./cluster-facts.js";
import type { MemberStart } from "./commands.js";
import type { Keys, V2Facts } from "./v2-census.js";

/** A member in one of the two stores that have the membership. */
export interface StoredMember {
  /** Hexadecimal. */
  readonly id: string;
  readonly isLearner: boolean;
}

/** What the v3 store's file has about the cluster. */
export interface V3StoreFacts {
  /** Such as `3.5.0`. */
  readonly clusterVersion: string | undefined;
  /** Index of the last entry of raft's log that the v3 store has. */
  readonly consistentIndex: number;
  readonly members: readonly StoredMember[];
  /** Alarms such as `NOSPACE`. */
  readonly alarms: readonly string[];
}

/** What the newest snapshot file has besides the members and the version of the cluster. */
export interface SnapshotFacts {
  /** Index in raft's log. */
  readonly index: number;
  /** The v2 keys directly below the root, without hidden ones. */
  readonly tops: Keys;
  /** Number of v2 users and roles. */
  readonly auth: number;
}

/** Requests of the v2 API in raft's log behind the newest snapshot. */
interface LoggedRequests {
  /** Writes and reads of keys. */
  readonly keys: number;
  /** Health checks, removals of expired keys, and changes of users and roles. */
  readonly other: number;
  /** Announcements of members and of the cluster's version. */
  readonly membership: number;
}

/** What the files of a member that does not run show. */
export interface DirectoryFacts {
  readonly start: MemberStart;
  /** Such as `3.5.0`. */
  readonly clusterVersion: string | undefined;
  readonly members: readonly StoredMember[];
  /** Undefined if there is no snapshot yet. */
  readonly snapshot: SnapshotFacts | undefined;
  readonly requests: LoggedRequests;
  readonly v2: V2Facts;
  readonly v2Auth: V2Auth;
  readonly v3: Checked<V3StoreFacts>;
  /** What the reader of the files has noticed, one sentence each. */
  readonly warnings: readonly string[];
}
