import type { HttpRequest } from "../../wire/http.js";

/** How long one attempt may take, in milliseconds, and how it is called off. */
export interface AttemptLimits {
  /** Until the reply, or the head of a watch, must be there. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

/** One request on its way to one endpoint. */
export interface OutgoingRequest {
  readonly request: HttpRequest;
  readonly endpoint: string;
  readonly limits: AttemptLimits;
  /** Whether it is a watch. */
  readonly streams: boolean;
  /** How often it was redirected before. */
  readonly hops: number;
}
