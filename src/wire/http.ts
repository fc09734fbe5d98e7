/** An HTTP request as a value, with the rules for its retries. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query, percent-encoded. */
  readonly path: string;
  readonly body?: string | undefined;
  readonly contentType?: string;
  /** Used instead of the cluster's Authorization header. Sent only to this cluster's endpoints. */
  readonly authorization?: string | undefined;
  /** The same request as gRPC. Used where the endpoint supports HTTP/2. */
  readonly grpc?: GrpcCall | undefined;
  /** Whether the response has all headers. @default it has those that the client reads */
  readonly readsAllHeaders?: boolean;
  /** Additional headers, by lower-case name. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * Retry safety. A `read` may be repeated at any endpoint. A `write` is sent to another member
   * only when the first one certainly did not process it. A `recorded` write leaves a record in
   * etcd, by which its sender finds out what became of it: it is never repeated blindly.
   */
  readonly safety: "read" | "write" | "recorded";
  /** `local`: a member responds from its own state. `quorum`: the members must agree. */
  readonly scope: "local" | "quorum";
  /** Timeout of one attempt in milliseconds, if shorter than the limit for the scope. */
  readonly timeout?: number | undefined;
  /** Monotonic time at which the call ends, if sooner than its own timeout. */
  readonly deadline?: number | undefined;
  /** Whether a successful response is a stream: a watch. */
  readonly isWatch?: boolean;
  /** Whether to use only HTTP/1.1, where the client's half of a connection can be closed. */
  readonly http1?: boolean;
  /** Whether to send the request before the leader is known. The leader search may depend on it. */
  readonly anyMember?: boolean;
  /** Method and key or path, without any value. Used in messages. */
  readonly operation: string;
}

/** A request in gRPC's form. A message is encoded only in the form in which it is sent. */
interface GrpcCall {
  readonly path: string;
  /** The framed message. */
  readonly body: Buffer;
  /** The message as the JSON body of the request, for an endpoint without HTTP/2. */
  readonly json: string;
}

/** The body of a request that is not sent as gRPC. */
export function textBodyOf({ body, grpc }: HttpRequest): string | undefined {
  return body ?? grpc?.json;
}

export type HttpHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** The head of an HTTP response. */
export interface HttpResponseHead {
  readonly status: number;
  /** By lower-case name; other headers may be missing. With gRPC, includes trailers. */
  readonly headers: HttpHeaders;
  /** URL of the endpoint that sent the response. */
  readonly endpoint: string;
}

/** A complete HTTP response. */
export interface HttpResponse extends HttpResponseHead {
  readonly body: string;
  /** The binary body of a gRPC response. */
  readonly grpcBody?: Buffer;
}
