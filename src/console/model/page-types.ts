/** What the server of the console and its page send to each other. The page imports the types only. */

import type { Returned } from "../../cutover/back.js";
import type { CutoverCheck } from "../../cutover/check.js";
import type { CutoverStatus } from "../../cutover/cutover-status.js";
import type { Flipped } from "../../cutover/flip.js";
import type { MigrationProgress } from "../../transfer/migrate/migration-progress.js";

/** What the page may do and show. */
export interface SessionInfo {
  /** Goes with every later request. */
  readonly token: string;
  readonly version: string;
  readonly api: "v2" | "v3";
  /** Whether keys can be changed. */
  readonly writable: boolean;
  /** User of etcd's auth. */
  readonly user?: string | undefined;
  /** Endpoints of the cluster, without credentials. */
  readonly endpoints: readonly string[];
  /** Directory that all keys are relative to. */
  readonly prefix?: string | undefined;
}

export interface Credentials {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** From the address that the console prints. */
  readonly accessKey?: string | undefined;
}

/** An error of the API. */
export interface Failure {
  /** `KeyNotFoundError`, for example. */
  readonly name: string;
  readonly message: string;
}

/** A child in a listing. The value is cut. */
export interface ListedNode {
  readonly name: string;
  readonly dir: boolean;
  readonly index: number;
  /** First characters of the value. */
  readonly start?: string | undefined;
  /** Characters of the value. */
  readonly length?: number | undefined;
  /** Seconds. */
  readonly ttl?: number | undefined;
}

/** A part of a listing, all of whose parts are of one moment. */
export interface ListingPage {
  readonly key: string;
  readonly listing: string;
  /** Index of the moment. */
  readonly index: number;
  readonly total: number;
  readonly from: number;
  readonly nodes: readonly ListedNode[];
}

/** A key with its complete value. */
export interface ShownNode {
  readonly key: string;
  readonly dir: boolean;
  readonly value?: string | undefined;
  /** With v3: the bytes of the value as base64, when they are not UTF-8. The value has U+FFFD in place of some. */
  readonly bytes?: string | undefined;
  readonly createdIndex: number;
  readonly modifiedIndex: number;
  readonly ttl?: number | undefined;
  /** Of a directory: number of children that etcd lists. */
  readonly children?: number | undefined;
}

export interface KeyAnswer {
  /** Absent: the key does not exist. */
  readonly node?: ShownNode | undefined;
  /** Index of the store. */
  readonly index: number;
}

/** What a change did. */
export interface ChangeEvent {
  readonly index: number;
  readonly action: string;
  readonly key: string;
  readonly dir: boolean;
  /** Absent after a delete or an expiry, and for a directory. */
  readonly value?: string | undefined;
  /** Characters of the value, when it was too long to send. */
  readonly length?: number | undefined;
  readonly ttl?: number | undefined;
  readonly createdIndex: number;
  readonly isRemoved: boolean;
  /** The value before. */
  readonly previous?: string | undefined;
}

/** An event of the stream that each open page has. */
export type StreamEvent =
  | { readonly type: "open"; readonly index: number; readonly clusterId: string }
  | { readonly type: "changes"; readonly changes: readonly ChangeEvent[] }
  /** Changes were missed: what the page knows may be old. */
  | {
      readonly type: "gap";
      readonly reason: string;
      readonly index: number;
      readonly clusterId: string;
    }
  | { readonly type: "connected" }
  | { readonly type: "disconnected"; readonly message: string }
  /** The watch has ended, for example because the user may not read the directory. */
  | { readonly type: "failed"; readonly failure: Failure };

export interface SearchQuery {
  readonly key: string;
  readonly text: string;
  readonly keys: boolean;
  readonly values: boolean;
  readonly matchCase: boolean;
}

/** A node whose key or value contains the text. */
export interface SearchMatch {
  readonly key: string;
  readonly dir: boolean;
  /** Number and text of the first line of the value that contains it. */
  readonly line?: { readonly number: number; readonly text: string } | undefined;
}

/** A line of the answer to a search. */
export type SearchEvent =
  | { readonly type: "match"; readonly match: SearchMatch }
  | {
      readonly type: "progress";
      readonly directories: number;
      readonly keys: number;
      readonly at: string;
    }
  | {
      readonly type: "end";
      readonly directories: number;
      readonly keys: number;
      /** Whether the search ended early, because it has found enough. */
      readonly isCut: boolean;
    }
  | { readonly type: "failed"; readonly failure: Failure };

export interface SaveRequest {
  readonly key: string;
  readonly value: string;
  /** Index that the key must have. Absent: the key must not exist. */
  readonly index?: number | undefined;
}

export interface RemoveRequest {
  readonly key: string;
  /** Of a file: index that it must have. */
  readonly index?: number | undefined;
  readonly dir: boolean;
}

export interface WriteAnswer {
  readonly index: number;
}

/** A value that a key has had, or its removal. */
export interface PastValue {
  readonly revision: number;
  readonly isRemoval: boolean;
  /** Absent for a removal, and when the values together are too large. */
  readonly value?: string | undefined;
  /** Its bytes as base64, when they are not UTF-8. */
  readonly bytes?: string | undefined;
}

/** The revisions of a key, the newest first. */
export interface KeyHistory {
  readonly past: readonly PastValue[];
  /** First revision that etcd still has; 0: it has all of them. */
  readonly compacted: number;
  /** `false`: there may be others that etcd has not compacted. */
  readonly isComplete: boolean;
}

/** Keys of a directory that were removed at one revision. */
export interface Removal {
  readonly revision: number;
  /** Number of keys. */
  readonly keys: number;
  /** The deepest directory that had all of them; of one key, the key. */
  readonly at: string;
}

/** The newest first. */
export interface RemovalsAnswer {
  readonly removals: readonly Removal[];
  /** First revision that etcd still has; 0: it has all of them. */
  readonly compacted: number;
  /** `false`: there may be others that etcd has not compacted. */
  readonly isComplete: boolean;
}

/** A key that a directory had, and has no more. */
interface MissingKey {
  readonly key: string;
  /** Whether it had a TTL. */
  readonly wasTemporary: boolean;
}

/** A key that has another value now. */
export interface ChangedKey {
  readonly key: string;
  /** Absent: the value is not UTF-8, or too long to show. */
  readonly before?: string | undefined;
  readonly now?: string | undefined;
}

/** A directory at a revision, with everything below it, and how it differs from what is there now. */
export interface PastDirectory {
  readonly key: string;
  readonly revision: number;
  /** Revision of the present state. */
  readonly seen: number;
  /** Number of keys at the revision. */
  readonly keys: number;
  /** Number of keys that are as they were. */
  readonly same: number;
  /** Number of keys that did not exist at the revision. */
  readonly added: number;
  readonly missing: readonly MissingKey[];
  readonly changed: readonly ChangedKey[];
}

/** Puts keys back that a comparison has shown. */
export interface RecoverRequest {
  readonly key: string;
  readonly revision: number;
  /** That of the comparison. A key that has changed since is left. */
  readonly seen: number;
  /** Whether missing keys that had a TTL are put back, too, without one. */
  readonly temporary: boolean;
  /** Changed keys whose values are put back, too. */
  readonly replace: readonly string[];
}

/** What became of the keys so far. */
export interface RecoverCounts {
  readonly total: number;
  readonly created: number;
  readonly replaced: number;
  /** Others have written these keys since the comparison, so they were left. */
  readonly taken: number;
}

/** A key that was not put back, and why. */
export interface NotRecovered {
  readonly key: string;
  readonly reason: string;
}

/** A line of the answer to a recovery. */
export type RecoverEvent =
  | ({ readonly type: "progress" } & RecoverCounts)
  /** `failure`: it ended early. */
  | ({
      readonly type: "end";
      readonly left: readonly NotRecovered[];
      readonly failure?: Failure | undefined;
    } & RecoverCounts);

interface MemberState {
  readonly id: string;
  readonly name: string;
  readonly peerURLs: readonly string[];
  readonly clientURLs: readonly string[];
  readonly isLeader: boolean;
}

export interface EndpointState {
  readonly endpoint: string;
  readonly healthy: boolean;
  readonly reason?: string | undefined;
  readonly version?: string | undefined;
  readonly memberId?: string | undefined;
  /** Bytes. */
  readonly dbSize?: number | undefined;
  readonly dbSizeInUse?: number | undefined;
  readonly alarms?: readonly string[] | undefined;
}

export interface ClusterAnswer {
  readonly clusterId?: string | undefined;
  readonly members: readonly MemberState[];
  readonly endpoints: readonly EndpointState[];
  /** Open watches of the member that responded, where etcd counts them. */
  readonly watchers?: number | undefined;
  /** What could not be found out, and why. */
  readonly problems: readonly string[];
}

/** A holder, a waiter or an instance. */
export interface Participant {
  readonly key: string;
  /** What it says about itself; of an instance, its metadata. */
  readonly data: string;
  /** Index of its creation; of a holder, the fencing token. */
  readonly token: number;
  readonly ttl?: number | undefined;
}

/** `queue`: a lock or an election, whose first participant holds it or leads. Empty: no recipe is recognized. */
export interface RecipeAnswer {
  readonly kind?: "queue" | "registry" | undefined;
  readonly participants?: readonly Participant[] | undefined;
}

/** A lock or an election, or a registry, that a scan has found. */
export interface FoundRecipe {
  readonly key: string;
  readonly kind: NonNullable<RecipeAnswer["kind"]>;
  readonly count: number;
  /** Participants: of a queue, the first one holds it or leads. */
  readonly first: readonly Participant[];
}

/** A line of the answer to a scan. */
export type RecipesEvent =
  | { readonly type: "recipe"; readonly recipe: FoundRecipe }
  | { readonly type: "progress"; readonly directories: number; readonly keys: number }
  | {
      readonly type: "end";
      readonly directories: number;
      readonly keys: number;
      /** Whether it ended early, because it has found enough. */
      readonly isCut: boolean;
    }
  | { readonly type: "failed"; readonly failure: Failure };

/** A step of a cut-over that runs, or has ended. */
export interface CutoverRun {
  readonly step: "check" | "arm" | "disarm" | "abort" | "rehearse" | "flip" | "back";
  readonly isRunning: boolean;
  /** Milliseconds since it was started. */
  readonly age: number;
  /** Milliseconds, when it has ended. */
  readonly duration?: number | undefined;
  readonly progress?: CopyProgress | undefined;
  /** Keys that v3 cannot store unchanged. */
  readonly losses: readonly string[];
  /** When it has succeeded. */
  readonly result?: CutoverResult | undefined;
  /** When it has failed. */
  readonly failure?: CutoverFailure | undefined;
}

type CopyProgress = Pick<MigrationProgress, "phase" | "share" | "compared" | "total" | "waiting">;

export interface CutoverResult {
  readonly check?: CheckResult | undefined;
  /** Of a rehearsal, a switch or a return. */
  readonly moved?: Flipped | Returned | undefined;
}

export interface CheckResult extends CutoverCheck {
  /** State of the cut-over when it was checked. */
  readonly state: CutoverStatus["state"];
}

interface CutoverFailure extends Failure {
  /** Whether gateways may have switched. */
  readonly isUnknown: boolean;
  /** Whether an operator has stopped it. */
  readonly isStopped: boolean;
}

/** What the console has carried out. */
export interface CutoverRuns {
  /** Whether the console knows the v2 cluster. */
  readonly hasSource: boolean;
  /** The last step. */
  readonly run?: CutoverRun | undefined;
  /** The last check. */
  readonly check?: CutoverRun | undefined;
}

/** Empty for a cluster whose v2 API is used. */
export interface CutoverAnswer extends Partial<CutoverRuns> {
  readonly status?: CutoverStatus | undefined;
}
