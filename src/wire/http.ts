/** An HTTP request as a value: what to send, and how a failed attempt may be treated. */
export interface HttpRequest {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** Path and query, percent-encoded. */
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
  /** Sent instead of the cluster's own, to its endpoints only. */
  readonly authorization?: string | undefined;
  /** The same as a call of gRPC, which is made instead where the endpoint speaks HTTP/2. */
  readonly grpc?: GrpcCall | undefined;
  /** More headers, by lower-case name. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * Retry safety. A `read` may be asked again anywhere; a `write` goes to another member only when
   * it is certain that the first did not process it.
   */
  readonly safety: "read" | "write";
  /** Who answers: the member from its `local` state, or the cluster's agreement (`quorum`). */
  readonly scope: "local" | "quorum";
  /** Milliseconds for one attempt, where that is less than the limit for the scope. */
  readonly timeout?: number | undefined;
  /** Whether a good answer goes on coming: a watch. */
  readonly streams?: boolean;
  /** Whether HTTP/1.1 alone will do, over which the client's half of a connection can be closed. */
  readonly http1?: boolean;
  /** Whether it does not wait for the leader to be found: who looks for that may need it. */
  readonly anyMember?: boolean;
  /** What is asked, for messages: method and key or path, without any value. */
  readonly operation: string;
}

/** A request in gRPC's form. */
export interface GrpcCall {
  readonly path: string;
  /** The message in its frame. */
  readonly body: Buffer;
}

export type HttpHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** The head of an HTTP reply. */
export interface HttpReplyHead {
  readonly status: number;
  /** By lower-case name: those that are read here, and perhaps others. Of gRPC, trailers as well. */
  readonly headers: HttpHeaders;
  /** URL of the endpoint that replied. */
  readonly endpoint: string;
}

/** A whole HTTP reply. */
export interface HttpReply extends HttpReplyHead {
  readonly body: string;
  /** The body of a reply in gRPC's form, which is none of text. */
  readonly grpcBody?: Buffer;
}
