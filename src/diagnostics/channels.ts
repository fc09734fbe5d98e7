import type { DamagedRecordError } from "../errors/v3-errors.js";
import type { HttpRequest } from "../wire/http.js";
import { channel, tracingChannel } from "./diagnostics-channel.js";

/** Message of `etcdnet:request`. Published at each phase of a call. */
export interface RequestTrace {
  /** Method and key or path, without any value. */
  readonly operation: string;
  readonly safety: "read" | "write";
  /** URL of the endpoint that sent the last response. Absent before the first response. */
  endpoint?: string;
  /** HTTP status of the last response. */
  status?: number;
  /** Attempts made so far. */
  attempts: number;
}

/** Message of `etcdnet:failover`. Published for each failed attempt. */
export interface FailoverTrace {
  readonly operation: string;
  /** URL of the endpoint that failed. */
  readonly endpoint: string;
  readonly cause: Error;
}

/** Message of `etcdnet:watch`. Published when a watch opens and when it ends. */
export interface WatchTrace {
  readonly operation: string;
  readonly endpoint: string;
  readonly event: "open" | "end";
}

/** Message of `etcdnet:watch-failure`. Published when `watch()` has failed and will retry. */
export interface WatchFailureTrace {
  /** `watch` and the key. */
  readonly operation: string;
  readonly cause: Error;
  /** Milliseconds until the next attempt. */
  readonly retryAfter: number;
}

const requests = tracingChannel<unknown, RequestTrace>("etcdnet:request");
const failovers = channel("etcdnet:failover");
const watches = channel("etcdnet:watch");
const watchFailures = channel("etcdnet:watch-failure");
const damages = channel("etcdnet:damage");

/** A trace of a call for `etcdnet:request`. `undefined`, at no cost, without subscribers. */
export function newTrace({ operation, safety }: HttpRequest): RequestTrace | undefined {
  const kind = safety === "read" ? "read" : "write";
  return requests.hasSubscribers ? { operation, safety: kind, attempts: 0 } : undefined;
}

/** Runs a call and publishes its phases on `etcdnet:request`. */
export function traceRequest<T>(trace: RequestTrace, call: () => Promise<T>): Promise<T> {
  return requests.tracePromise(call, trace);
}

export function traceFailover(trace: FailoverTrace): void {
  if (failovers.hasSubscribers) failovers.publish(trace);
}

export function traceWatch(trace: WatchTrace): void {
  if (watches.hasSubscribers) watches.publish(trace);
}

export function traceWatchFailure(trace: WatchFailureTrace): void {
  if (watchFailures.hasSubscribers) watchFailures.publish(trace);
}

/** Publishes the error on `etcdnet:damage`, at each read of the damaged record. */
export function traceDamage(damaged: DamagedRecordError): void {
  if (damages.hasSubscribers) damages.publish(damaged);
}
