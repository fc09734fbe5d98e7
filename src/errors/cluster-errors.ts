import { causeText } from "./cause-text.js";
import { EtcdError } from "./etcd-error.js";

/** One try of a call at one endpoint. */
export interface Attempt {
  /** URL of the endpoint. */
  readonly endpoint: string;
  /** Why the endpoint gave no usable answer. */
  readonly cause: Error;
  /** When that was known. */
  readonly when: Date;
}

/**
 * No member gave a usable answer. A write that ends so was certainly not carried out.
 *
 * With a single endpoint, or after a single attempt, what that endpoint did is thrown itself where
 * it has a class of its own: `TimeoutError`, `ProtocolError`, `RaftInternalError`, `AdminError`.
 */
export class ClusterUnavailableError extends EtcdError {
  override readonly name = "ClusterUnavailableError";
  override readonly code = "ETCD_CLUSTER_UNAVAILABLE";
  /** Method and key or path. */
  readonly operation: string;
  /** Every try, in order. */
  readonly attempts: readonly Attempt[];

  constructor(operation: string, attempts: readonly Attempt[]) {
    const tries = attempts.map(({ endpoint, cause }) => `${endpoint}: ${causeText(cause)}`);
    const why = tries.length === 0 ? "no endpoint was tried" : tries.join("; ");
    super(`${operation}: no member gave a usable answer (${why})`, {
      cause: attempts.at(-1)?.cause,
    });
    this.operation = operation;
    this.attempts = attempts;
  }
}

/**
 * A write was sent, and whether it was or will be carried out is not known. It was not repeated.
 * Read the key (with `quorum`) to learn what became of it; `cause` says what went wrong.
 */
export class OutcomeUnknownError extends EtcdError {
  override readonly name = "OutcomeUnknownError";
  override readonly code = "ETCD_OUTCOME_UNKNOWN";
  override readonly cause: Error;
  /** Method and key or path. */
  readonly operation: string;
  /** URL of the endpoint that the write was sent to. */
  readonly endpoint: string;

  constructor(operation: string, endpoint: string, cause: Error) {
    super(
      `${operation} was sent to ${endpoint}, but its outcome is unknown (${causeText(cause)}); ` +
        "it may have taken effect or may still do so: read it with quorum before trying again",
    );
    this.operation = operation;
    this.endpoint = endpoint;
    this.cause = cause;
  }
}

/** Members answer, but none serves the v2 API. */
export class V2DisabledError extends EtcdError {
  override readonly name = "V2DisabledError";
  override readonly code = "ETCD_V2_DISABLED";

  constructor(operation: string, endpoints: readonly string[]) {
    super(
      `${operation}: the v2 API is not served at ${endpoints.join(", ")}. etcd 3.4 and 3.5 serve ` +
        "it only when started with --enable-v2, etcd 3.6 and later never do. Where the data is in " +
        'the v3 store, use api: "v3", or connect to an etcdnet gateway',
    );
  }
}

/** An answer that cannot be used: truncated, not JSON, of another shape, too large. */
export class ProtocolError extends EtcdError {
  override readonly name: "ProtocolError" | "ResponseTooLargeError" = "ProtocolError";
  override readonly code: "ETCD_PROTOCOL" | "ETCD_RESPONSE_TOO_LARGE" = "ETCD_PROTOCOL";
}

/**
 * The answer to a read is larger than the client's `maxResponseSize`. It would be the same at every
 * member, so that none was asked after the first.
 */
export class ResponseTooLargeError extends ProtocolError {
  override readonly name = "ResponseTooLargeError";
  override readonly code = "ETCD_RESPONSE_TOO_LARGE";
  /** Method and key or path. */
  readonly operation: string;
  readonly endpoint: string;
  /** Bytes; the client's option. */
  readonly maxResponseSize: number;

  constructor(operation: string, endpoint: string, maxResponseSize: number) {
    super(
      `${operation} at ${endpoint}: the answer is larger than maxResponseSize, ` +
        `${maxResponseSize} bytes; raise it, or read less at a time`,
    );
    this.operation = operation;
    this.endpoint = endpoint;
    this.maxResponseSize = maxResponseSize;
  }
}

/**
 * No answer in time: within the limit of one attempt, or of the whole call. A write that ends so,
 * and not with `OutcomeUnknownError`, was not sent.
 */
export class TimeoutError extends EtcdError {
  override readonly name = "TimeoutError";
  override readonly code = "ETCD_TIMEOUT";
  /** The limit, in milliseconds. */
  readonly timeout: number;

  constructor(message: string, timeout: number) {
    super(message);
    this.timeout = timeout;
  }
}
