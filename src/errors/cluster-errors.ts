import { adviceOn, causeText } from "./cause-text.js";
import { EtcdError } from "./etcd-error.js";

/** One attempt of a call at one endpoint. */
export interface Attempt {
  /** URL of the endpoint. */
  readonly endpoint: string;
  /** Why the endpoint returned no usable response. */
  readonly cause: Error;
  /** Time of the failure. */
  readonly when: Date;
}

/**
 * No member returned a usable response. A write that ends with this error was not executed.
 *
 * With a single endpoint, or after a single attempt, the error of that attempt is thrown instead if it has
 * its own class: `TimeoutError`, `ProtocolError`, `RaftInternalError`, `AdminError`.
 */
export class ClusterUnavailableError extends EtcdError {
  override readonly name = "ClusterUnavailableError";
  override readonly code = "ETCD_CLUSTER_UNAVAILABLE";
  /** Method and key or path. */
  readonly operation: string;
  /** All attempts, in order. */
  readonly attempts: readonly Attempt[];

  constructor(operation: string, attempts: readonly Attempt[]) {
    const texts = attempts.map(({ endpoint, cause }) => `${endpoint}: ${causeText(cause)}`);
    const why = texts.length === 0 ? "no endpoint was tried" : texts.join("; ");
    const causes = attempts.map(({ cause }) => cause);
    super(`${operation}: no member returned a usable response (${why})`, {
      cause: causes.at(-1),
      ...adviceOn(causes),
    });
    this.operation = operation;
    this.attempts = attempts;
  }
}

/**
 * A write was sent, but it is unknown whether etcd has executed it or will execute it. It was not retried.
 * Read the key with `quorum` to find out. `cause` is the failure.
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
        "it may have been applied, or may still be applied: read the key with quorum before you retry",
    );
    this.operation = operation;
    this.endpoint = endpoint;
    this.cause = cause;
  }
}

/** Members respond, but they do not serve the v2 API. */
export class V2DisabledError extends EtcdError {
  override readonly name = "V2DisabledError";
  override readonly code = "ETCD_V2_DISABLED";

  constructor(operation: string, endpoints: readonly string[]) {
    super(
      `${operation}: the v2 API is not served at ${endpoints.join(", ")}. etcd 3.4 and 3.5 serve ` +
        "it only when started with --enable-v2, etcd 3.6 and later never do",
      {
        option: "api",
        hint: (nameOf) =>
          `if the data is in the v3 store, set ${nameOf("api")} to "v3", or connect to an etcdnet gateway`,
      },
    );
  }
}

/** An unusable response: truncated, not JSON, of an unexpected shape, or too large. */
export class ProtocolError extends EtcdError {
  override readonly name: "ProtocolError" | "ResponseTooLargeError" = "ProtocolError";
  override readonly code: "ETCD_PROTOCOL" | "ETCD_RESPONSE_TOO_LARGE" = "ETCD_PROTOCOL";
}

/**
 * The response to a read is larger than the client's `maxResponseSize`. No other member is tried, because
 * its response would be the same.
 */
export class ResponseTooLargeError extends ProtocolError {
  override readonly name = "ResponseTooLargeError";
  override readonly code = "ETCD_RESPONSE_TOO_LARGE";
  /** Method and key or path. */
  readonly operation: string;
  readonly endpoint: string;
  /** The client's option, in bytes. */
  readonly maxResponseSize: number;

  constructor(operation: string, endpoint: string, maxResponseSize: number) {
    super(`${operation} at ${endpoint}: the response is larger than ${maxResponseSize} bytes`, {
      option: "maxResponseSize",
      hint: (nameOf) => `increase ${nameOf("maxResponseSize")}, or read less at a time`,
    });
    this.operation = operation;
    this.endpoint = endpoint;
    this.maxResponseSize = maxResponseSize;
  }
}

/**
 * No response was received within the timeout of one attempt or of the complete call. A write that ends
 * with this error, and not with `OutcomeUnknownError`, was not sent.
 */
export class TimeoutError extends EtcdError {
  override readonly name = "TimeoutError";
  override readonly code = "ETCD_TIMEOUT";
  /** The timeout, in milliseconds. */
  readonly timeout: number;

  constructor(message: string, timeout: number) {
    super(message);
    this.timeout = timeout;
  }
}

/** The error of a call that was not completed within its timeout. */
export function notCompleted(operation: string, timeout: number): TimeoutError {
  return new TimeoutError(`${operation}: not completed within ${timeout} ms`, timeout);
}
