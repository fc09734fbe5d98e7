import type { JsonObject } from "../wire/json.js";

/** How a call of etcd's v3 API is made, and how it is named in messages. */
export interface V3Call {
  /** What is done, without any value, e.g. `PUT /a`. */
  readonly operation: string;
  /** Key that it is about, for refusals. */
  readonly key: string;
  /** Retry safety, as in `HttpRequest`. */
  readonly safety: "read" | "write";
  /** Who answers: the member from its `local` state, or the cluster's agreement (`quorum`). */
  readonly scope: "local" | "quorum";
  /**
   * The endpoint to ask, and no other. For reads. The answer changes nothing for other calls; where
   * there is no usable one, the call throws an `AttemptFailure`. Absent: the members in turn.
   */
  readonly endpoint?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for one attempt at one member, where that is less than the client's own limit. */
  readonly attemptTimeout?: number | undefined;
}

/** An answer of etcd's v3 API. Fields that are 0, false or empty are absent from it. */
export interface V3Response {
  readonly body: JsonObject;
  /** URL of the endpoint that answered. */
  readonly endpoint: string;
}

/** A call that goes on answering, for one reader. */
export interface V3Stream {
  /** URL of the endpoint that answers. */
  readonly endpoint: string;
  /** Bytes that have come, also of an answer that is not complete yet. */
  readonly received: number;
  /**
   * The next answer, or `undefined` when the server has ended the stream.
   *
   * @throws ClusterUnavailableError when the stream broke or etcd ended it with an error
   * @throws AbortError
   */
  next(): Promise<JsonObject | undefined>;
  /** Ends the stream; a waiting reader sees the end. */
  close(): void;
}

/**
 * etcd's v3 API. Every call is authenticated, fails over, and fails with the errors of the error
 * tree: `V3RefusedError` or `UnauthorizedError` when etcd refused and changed nothing,
 * `OutcomeUnknownError` when a write may have been carried out.
 */
export interface V3Api {
  /** @param path e.g. `kv/txn`, `lease/grant` */
  call(path: string, body: object, call: V3Call): Promise<V3Response>;
  /** Opens a call that goes on answering; resolves as soon as etcd has begun to answer. */
  stream(path: "watch", body: object, call: V3Call): Promise<V3Stream>;
  /** Ends every call and stream, and closes all sockets. */
  close(): void;
}
