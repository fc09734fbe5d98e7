import type { ExecuteOptions } from "../../key-space.js";

/** Limits of a request and of all its calls of the v3 API. */
export interface RequestLimits extends ExecuteOptions {
  /** Monotonic time at which the request ends. */
  readonly deadline: number;
}
