/**
 * Requests of the key space as plain values, named by the `action` that etcd's answer will carry.
 *
 * One type per action, with just the parameters that etcd honours for it, so that a request that
 * etcd would misread (a compare-and-swap that is really a set, say) cannot be written down.
 */

/** Reads a file or lists a directory. */
export interface GetRequest {
  readonly action: "get";
  readonly key: string;
  /** List whole subtrees instead of one level. */
  readonly recursive?: boolean | undefined;
  /** Order children by the bytes of their keys; without it etcd's order is random. */
  readonly sorted?: boolean | undefined;
  /** Linearizable read through the leader instead of the member's own, possibly stale, state. */
  readonly quorum?: boolean | undefined;
}

interface WriteRequest {
  readonly key: string;
  /** Ask for the action alone, without `node` and `prevNode`. */
  readonly noValueOnSuccess?: boolean | undefined;
}

interface Lifetime {
  /** Seconds to live; absent: for ever, even if the node had a TTL before. */
  readonly ttl?: number | undefined;
}

/** A new value, or with `refresh` the value as it is: then no watcher is notified. */
type Content =
  | { readonly value: string; readonly refresh?: false | undefined }
  | { readonly refresh: true; readonly ttl: number; readonly value?: undefined };

/** A file with a value, or a directory. */
type NewNode =
  | { readonly value: string; readonly dir?: false | undefined }
  | { readonly dir: true; readonly value?: undefined };

/** Creates or replaces a node: it gets a new `createdIndex`. */
export type SetRequest = WriteRequest &
  Lifetime & { readonly action: "set" } & (
    | (Content & { readonly dir?: false | undefined })
    | { readonly dir: true; readonly value?: undefined; readonly refresh?: boolean | undefined }
  );

/** Creates a node that must not exist; with `inOrder` the key is a directory that names it. */
export type CreateRequest = WriteRequest &
  Lifetime & { readonly action: "create"; readonly inOrder?: boolean | undefined } & NewNode;

/** Changes an existing node: its value and TTL, or with `dir` a directory's TTL alone. */
export type UpdateRequest = WriteRequest &
  Lifetime & { readonly action: "update" } & (
    | (Content & { readonly dir?: boolean | undefined })
    | { readonly dir: true; readonly value?: undefined; readonly refresh?: false | undefined }
  );

/** What a node must be for a conditional write: its value, its `modifiedIndex`, or both. */
export type Condition =
  | { readonly prevValue: string; readonly prevIndex?: number | undefined }
  | { readonly prevIndex: number; readonly prevValue?: undefined };

/** Changes a file if it is as the condition says. */
export type CompareAndSwapRequest = WriteRequest &
  Lifetime &
  Condition &
  Content & { readonly action: "compareAndSwap" };

/** Removes a file, or with `dir` an empty directory, or with `recursive` a subtree. */
export interface DeleteRequest {
  readonly action: "delete";
  readonly key: string;
  readonly dir?: boolean | undefined;
  readonly recursive?: boolean | undefined;
}

/** Removes a file if it is as the condition says. */
export type CompareAndDeleteRequest = Condition & {
  readonly action: "compareAndDelete";
  readonly key: string;
};

/** Any request that {@link KeySpace.execute} answers once. */
export type KeyRequest =
  | GetRequest
  | SetRequest
  | CreateRequest
  | UpdateRequest
  | CompareAndSwapRequest
  | DeleteRequest
  | CompareAndDeleteRequest;

/** A request for events. */
export interface WatchRequest {
  readonly key: string;
  /** Include everything below the key. Hidden keys below it (`_…`) do not count. */
  readonly recursive?: boolean | undefined;
  /** First index of interest, itself included; absent: whatever comes after now. */
  readonly waitIndex?: number | undefined;
  /**
   * Go on after the first event. Only for a watch from now: etcd ends a stream with a past
   * `waitIndex` in silence after one event.
   */
  readonly stream?: boolean | undefined;
}

/** Asks the history of the store for changes, without waiting for any. */
export interface ScanRequest {
  readonly key: string;
  readonly recursive: boolean;
  /** First index asked for. */
  readonly since: number;
  /**
   * Whether the caller has a change of index `since` already. Only etcd v3 knows several changes of one
   * index.
   */
  readonly partial?: boolean | undefined;
  /**
   * Index up to which the caller needs proof now. A key space that cannot give it without a request
   * to etcd makes that request only for this.
   */
  readonly until?: number | undefined;
}

/** Whether the answer is to lack its nodes. */
export function wantsNoNodes(request: KeyRequest): boolean {
  return "noValueOnSuccess" in request && request.noValueOnSuccess === true;
}

/** The method by which the v2 API takes a request, and which messages name. */
export function methodOf(request: KeyRequest): "GET" | "PUT" | "POST" | "DELETE" {
  switch (request.action) {
    case "get":
      return "GET";
    case "delete":
    case "compareAndDelete":
      return "DELETE";
    case "create":
      return request.inOrder ? "POST" : "PUT";
    default:
      return "PUT";
  }
}
