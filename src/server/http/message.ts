/** A request to the server, independent of the transport. */
export interface ServerRequest {
  readonly method: string;
  /** Path and query as sent, percent-encoded. */
  readonly target: string;
  /** By lower-case name; the first value of a repeated header. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Common Name of the client's certificate, if it sent a trusted one. */
  readonly certificateName?: string | undefined;
  /** IP address of the client. All requests without one count as the same client. */
  readonly remoteAddress?: string | undefined;
  /** The same object for all requests of a connection. Absent: each request has its own connection. */
  readonly connection?: object | undefined;
  /**
   * URL at which the client reached this server, without a path. The response to this client may advertise
   * it. Absent: unknown.
   */
  readonly serverUrl?: string | undefined;
  /**
   * Reads the body.
   *
   * @throws BodyError for a body of more than `maxSize` bytes, or more than the limit of the server
   */
  body(maxSize?: number): Promise<string>;
  /** Aborts when the client has disconnected. */
  readonly signal: AbortSignal;
}

/** Headers in the order in which they are sent: name, value, name, value, … */
export type HeaderList = readonly string[];

/** A response of the server. */
export interface ServerReply {
  readonly status: number;
  readonly headers: HeaderList;
  /** Complete, or in pieces; then the head is sent before the first piece. */
  readonly body: string | PiecedBody;
}

/** A body that is sent in pieces. */
export interface PiecedBody extends AsyncIterable<string> {
  /** Approximate memory in use for the remaining pieces, in bytes. Absent: none. */
  readonly heldBytes?: number;
}

/** Serves one request. Never rejects. */
export type V2Handler = (request: ServerRequest) => Promise<ServerReply>;

/** A body that could not be read. The message is etcd's. */
export class BodyError extends Error {
  readonly code = "ETCD_BODY";
}

/** A request that was dropped because the server is overloaded. */
export class OverloadError extends Error {}

/** Whether the headers of a request announce a body. */
export function announcesBody({
  headers,
}: {
  readonly headers: {
    readonly "content-length"?: string | undefined;
    readonly "transfer-encoding"?: string | undefined;
  };
}): boolean {
  const length = headers["content-length"];
  return headers["transfer-encoding"] !== undefined || (length !== undefined && Number(length) > 0);
}

export const JSON_TYPE = "application/json";
export const TEXT_TYPE = "text/plain; charset=utf-8";

/** A plain-text error, as Go's HTTP library writes it. */
export function plainError(status: number, text: string, headers: HeaderList = []): ServerReply {
  return {
    status,
    headers: [...headers, "Content-Type", TEXT_TYPE, "X-Content-Type-Options", "nosniff"],
    body: `${text}\n`,
  };
}
