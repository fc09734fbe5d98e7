import { ProtocolError } from "../errors/cluster-errors.js";
import type { MessageInit } from "./protobuf/message-type.js";
import type { ResponseHeader, Rpc, WatchCreateRequest, WatchResponse } from "./rpcs.js";

/** How to send a call of etcd's v3 API, and how messages name it. */
export interface V3Call {
  /** Method and key without a value, e.g. `PUT /a`. Used in messages. */
  readonly operation: string;
  /** The key, for error messages. */
  readonly key: string;
  /** Retry safety, as in `HttpRequest`. */
  readonly safety: "read" | "write" | "recorded";
  /** `local`: a member responds from its own state. `quorum`: the members must agree. */
  readonly scope: "local" | "quorum";
  /**
   * For reads: send only to this endpoint. The result does not affect other calls; without a usable
   * response, the call throws an `AttemptFailure`. @default the endpoints in turn
   */
  readonly endpoint?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Timeout of one attempt in milliseconds, if shorter than the client's own limit. */
  readonly attemptTimeout?: number | undefined;
  /** Monotonic time at which the call ends, if sooner than the client's timeout of a call. */
  readonly deadline?: number | undefined;
}

/** Every response message has a header. */
export interface HasHeader {
  readonly header: ResponseHeader | undefined;
}

/** A response of etcd's v3 API. */
export class V3Response<Message extends HasHeader> {
  readonly message: Message;
  /** URL of the endpoint that sent the response. */
  readonly endpoint: string;

  constructor(message: Message, endpoint: string) {
    this.message = message;
    this.endpoint = endpoint;
  }

  /** @throws ProtocolError */
  get header(): ResponseHeader {
    return headerOf(this.message);
  }
}

/** @throws ProtocolError for a message without a header */
export function headerOf({ header }: HasHeader): ResponseHeader {
  if (header !== undefined) return header;
  throw new ProtocolError("the response of the v3 API has no header");
}

/** An open watch, for one reader. */
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
  next(): Promise<WatchResponse | undefined>;
  /** Ends the stream. A waiting `next` returns `undefined`. */
  close(): void;
}

/**
 * etcd's v3 API. Calls are authenticated and fail over. Errors: `V3RefusedError` or
 * `UnauthorizedError` when etcd refused and changed nothing, `OutcomeUnknownError` when a write may
 * have been applied.
 */
export interface V3Api {
  call<Request, Response extends HasHeader>(
    rpc: Rpc<Request, Response>,
    request: MessageInit<Request>,
    call: V3Call,
  ): Promise<V3Response<Response>>;
  /** Opens a watch. Resolves when the first message was received. */
  watch(request: WatchCreateRequest, call: V3Call): Promise<V3Stream>;
  /** Aborts every call and stream and closes all sockets. */
  close(): void;
}
