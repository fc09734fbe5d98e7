import { channel, tracingChannel } from "node:diagnostics_channel";
import type { DamagedRecordError } from "../../errors/v3-errors.js";
import type { HttpRequest } from "../../wire/http.js";

/** What subscribers of `etcdnet:request` get with each phase of a call. */
export interface RequestTrace {
  /** Method and key or path, without any value. */
  readonly operation: string;
  readonly safety: "read" | "write";
  /** URL of the endpoint that replied last, once one has. */
  endpoint?: string;
  /** HTTP status of its reply. */
  status?: number;
  /** Attempts made so far. */
  attempts: number;
}

/** What subscribers of `etcdnet:failover` get for each attempt that failed. */
export interface FailoverTrace {
  readonly operation: string;
  /** URL of the endpoint that failed. */
  readonly endpoint: string;
  readonly cause: Error;
}

/** What subscribers of `etcdnet:watch` get when a watch stands and when it has ended. */
export interface WatchTrace {
  readonly operation: string;
  readonly endpoint: string;
  readonly event: "open" | "end";
}

/** What subscribers of `etcdnet:watch-failure` get when `watch()` has failed and will try again. */
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

/** What `etcdnet:request` is to tell of a call; nothing, at no cost, while nobody listens. */
export function newTrace({ operation, safety }: HttpRequest): RequestTrace | undefined {
  return requests.hasSubscribers ? { operation, safety, attempts: 0 } : undefined;
}

/** Runs a call as `etcdnet:request` tells it. */
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

/** `etcdnet:damage` gets the error itself, each time when the record is read. */
export function traceDamage(damaged: DamagedRecordError): void {
  if (damages.hasSubscribers) damages.publish(damaged);
}
