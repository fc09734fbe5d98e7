import type { HttpRequest } from "../../wire/http.js";

/** Limits of one attempt: its timeout in milliseconds and its abort signal. */
export interface AttemptLimits {
  /** Until the complete response must be received; for a watch, or with a `bodyTimeout`, its head. */
  readonly timeout: number;
  /** Monotonic time from which the timeout counts. @default now */
  readonly startedAt?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One request to one endpoint. */
export interface OutgoingRequest {
  readonly request: HttpRequest;
  readonly endpoint: string;
  readonly limits: AttemptLimits;
  /** Whether the request is a watch. */
  readonly streams: boolean;
  /** Number of redirects so far. */
  readonly hops: number;
  /** Monotonic time from which the timeout counts. */
  readonly startedAt: number;
  /** The credentials of this request, if they may change. */
  readonly credentials?: string | undefined;
  /** Whether it is sent again because the server refused former credentials. */
  readonly isRenewed?: boolean;
}
