/**
 * Requests of the key space as plain objects. `action` is the action in etcd's response.
 *
 * Each action has a type with only the parameters that etcd uses for it. So a request that etcd would
 * misinterpret, such as a compare-and-swap without a condition, is a type error.
 */

/** Reads a file or lists a directory. */
export interface GetRequest {
  readonly action: "get";
  readonly key: string;
  /** List complete subtrees instead of one level. */
  readonly recursive?: boolean | undefined;
  /** Sort children by the bytes of their keys; by default, etcd's order is random. */
  readonly sorted?: boolean | undefined;
  /** Linearizable read, instead of a read of the member's own, possibly stale, state. */
  readonly quorum?: boolean | undefined;
}

/** Parameters of every write except deletes. */
export interface WriteParameters {
  readonly key: string;
  /** Omit `node` and `prevNode` from the response. */
  readonly noValueOnSuccess?: boolean | undefined;
}

/** The TTL that a write gives to a node. */
export interface TtlParameter {
  /** Time to live in seconds; absent: no TTL, even if the node had one before. */
  readonly ttl?: number | undefined;
}

/** A new value, or with `refresh` the present value: then watches get no event. */
export type FileContent =
  | { readonly value: string; readonly refresh?: false | undefined }
  | { readonly refresh: true; readonly ttl: number; readonly value?: undefined };

/** A file with a value, or a directory. */
export type NewNode =
  | { readonly value: string; readonly dir?: false | undefined }
  | { readonly dir: true; readonly value?: undefined };

/** Creates or replaces a node: it gets a new `createdIndex`. */
export type SetRequest = WriteParameters &
  TtlParameter & { readonly action: "set" } & (
    | (FileContent & { readonly dir?: false | undefined })
    | { readonly dir: true; readonly value?: undefined; readonly refresh?: boolean | undefined }
  );

/** Creates a node that must not exist; with `inOrder`, `key` is a directory in which etcd chooses the name. */
export type CreateRequest = WriteParameters &
  TtlParameter & { readonly action: "create"; readonly inOrder?: boolean | undefined } & NewNode;

/** Changes an existing node: its value and TTL, or with `dir` only the TTL of a directory. */
export type UpdateRequest = WriteParameters &
  TtlParameter & { readonly action: "update" } & (
    | (FileContent & { readonly dir?: boolean | undefined })
    | { readonly dir: true; readonly value?: undefined; readonly refresh?: false | undefined }
  );

/** The condition of a write: the value of the node, its `modifiedIndex`, or both. */
export type Condition =
  | { readonly prevValue: string; readonly prevIndex?: number | undefined }
  | { readonly prevIndex: number; readonly prevValue?: undefined };

/** Changes a file if it matches the condition. */
export type CompareAndSwapRequest = WriteParameters &
  TtlParameter &
  Condition &
  FileContent & { readonly action: "compareAndSwap" };

/** Removes a file, or with `dir` an empty directory, or with `recursive` a subtree. */
export interface DeleteRequest {
  readonly action: "delete";
  readonly key: string;
  readonly dir?: boolean | undefined;
  readonly recursive?: boolean | undefined;
}

/** Removes a file if it matches the condition. */
export type CompareAndDeleteRequest = Condition & {
  readonly action: "compareAndDelete";
  readonly key: string;
};

/** Any request of {@link KeySpace.execute}, with one response. */
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
  /** Include everything below the key, except hidden keys (`_…`). */
  readonly recursive?: boolean | undefined;
  /** Index of the first event to return; absent: events from now on. */
  readonly waitIndex?: number | undefined;
  /**
   * Continue after the first event. Only for a watch from now on: etcd ends a stream with a past
   * `waitIndex` silently after one event.
   */
  readonly stream?: boolean | undefined;
}

/** Reads changes from the history of the store, without waiting for new ones. */
export interface ScanRequest {
  readonly key: string;
  readonly recursive: boolean;
  /** First index to read. */
  readonly since: number;
  /**
   * Whether the caller already has a change of index `since`. Only etcd v3 can have several changes of one
   * index.
   */
  readonly partial?: boolean | undefined;
}

/** Whether the response must omit its nodes. */
export function wantsNoNodes(request: KeyRequest): boolean {
  return "noValueOnSuccess" in request && request.noValueOnSuccess === true;
}

/** The HTTP method of a request in the v2 API. Messages contain it. */
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

/** Method and key of a request, for messages. */
export function operationOf(request: KeyRequest): string {
  return `${methodOf(request)} ${request.key}`;
}
