import { goJson } from "../../wire/go-json.js";

/** A request to the server, whatever it came by. */
export interface ServerRequest {
  readonly method: string;
  /** Path and query as sent, percent-encoded. */
  readonly target: string;
  /** By lower-case name; of a repeated header the first. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Common Name of the client's certificate, if it showed one that is trusted. */
  readonly certificateName?: string | undefined;
  /** IP address of the client. Absent: unknown, and taken for the same client. */
  readonly remoteAddress?: string | undefined;
  /** The same for all requests of a connection. Absent: each has one of its own. */
  readonly connection?: object | undefined;
  /**
   * URL at which the client reached this server, without a path: what the answer to this client may
   * advertise. Absent: unknown.
   */
  readonly serverUrl?: string | undefined;
  /**
   * Reads the body, which is refused when it is longer than `maxSize` bytes or than the server's own
   * limit.
   *
   * @throws BodyError
   */
  body(maxSize?: number): Promise<string>;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
}

/** Headers in the order in which they are sent: name, value, name, value, … */
export type HeaderList = readonly string[];

/** A reply of the server. */
export interface ServerReply {
  readonly status: number;
  readonly headers: HeaderList;
  /** Whole, or piece by piece; then the head is sent before the first piece. */
  readonly body: string | PiecedBody;
}

/** A body that is sent piece by piece. */
export interface PiecedBody extends AsyncIterable<string> {
  /** About how many bytes are kept in memory for the pieces that are still to come. Absent: none. */
  readonly heldBytes?: number;
}

/** Answers one request. Never throws. */
export type V2Handler = (request: ServerRequest) => Promise<ServerReply>;

/** A body that could not be taken. The message is etcd's. */
export class BodyError extends Error {
  readonly code = "ETCD_BODY";
}

/** A request that was given up to make room for others. */
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

/** `{"message":…}`: an error of members, auth and stats. */
export function messageError(
  status: number,
  message: string,
  headers: HeaderList = [],
): ServerReply {
  return {
    status,
    headers: [...headers, "Content-Type", JSON_TYPE],
    body: goJson({ message }),
  };
}
