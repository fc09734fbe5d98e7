import type { JsonObject } from "../wire/json.js";
import { readHeader, type V3Header } from "./v3-json.js";

/** How to send a call of etcd's v3 API, and how messages name it. */
export interface V3Call {
  /** Method and key without a value, e.g. `PUT /a`. Used in messages. */
  readonly operation: string;
  /** The key, for error messages. */
  readonly key: string;
  /** Retry safety, as in `HttpRequest`. */
  readonly safety: "read" | "write";
  /** `local`: a member answers from its own state. `quorum`: the members must agree. */
  readonly scope: "local" | "quorum";
  /**
   * For reads: send only to this endpoint. The result does not affect other calls; without a usable
   * response, the call throws an `AttemptFailure`. @default the endpoints in turn
   */
  readonly endpoint?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Timeout of one attempt in milliseconds, if shorter than the client's own limit. */
  readonly attemptTimeout?: number | undefined;
}

/** A response of etcd's v3 API. Fields that are 0, false or empty are absent. */
export class V3Response {
  readonly body: JsonObject;
  /** URL of the endpoint that sent the response. */
  readonly endpoint: string;
  #header: V3Header | undefined;

  constructor(body: JsonObject, endpoint: string) {
    this.body = body;
    this.endpoint = endpoint;
  }

  /** Decoded once, when it is first needed. @throws ProtocolError */
  get header(): V3Header {
    this.#header ??= readHeader(this.body);
    return this.#header;
  }
}

/** The response of a streaming call, for one reader. */
export interface V3Stream {
  /** URL of the endpoint that sends the stream. */
  readonly endpoint: string;
  /** Bytes received, including an incomplete message. */
  readonly received: number;
  /**
   * Returns the next message, or `undefined` when the server has ended the stream.
   *
   * @throws ClusterUnavailableError when the stream broke or etcd ended it with an error
   * @throws AbortError
   */
  next(): Promise<JsonObject | undefined>;
  /** Ends the stream. A waiting `next` returns `undefined`. */
  close(): void;
}

/**
 * etcd's v3 API. Calls are authenticated and fail over. Errors: `V3RefusedError` or
 * `UnauthorizedError` when etcd refused and changed nothing, `OutcomeUnknownError` when a write may
 * have been applied.
 */
export interface V3Api {
  /** @param path e.g. `kv/txn`, `lease/grant` */
  call(path: string, body: object, call: V3Call): Promise<V3Response>;
  /** Opens a streaming call. Resolves when the first message was received. */
  stream(path: "watch", body: object, call: V3Call): Promise<V3Stream>;
  /** Aborts every call and stream and closes all sockets. */
  close(): void;
}
