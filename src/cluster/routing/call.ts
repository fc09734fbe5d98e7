import {
  newTrace,
  type RequestTrace,
  traceFailover,
  traceRequest,
} from "../../diagnostics/channels.js";
import { AbortError } from "../../errors/abort-error.js";
import {
  type Attempt,
  ClusterUnavailableError,
  notCompleted,
  OutcomeUnknownError,
  V2DisabledError,
} from "../../errors/cluster-errors.js";
import { EtcdError } from "../../errors/etcd-error.js";
import { V3DisabledError } from "../../errors/v3-errors.js";
import { AttemptFailure } from "../../wire/attempt-failure.js";
import type { HttpResponseHead } from "../../wire/http.js";
import type { CallSpec } from "./call-spec.js";
import type { ClusterSettings } from "./cluster-settings.js";
import type { Endpoint } from "./endpoint.js";
import type { EndpointSource } from "./endpoint-list.js";
import { hedge } from "./hedge.js";
import { waitForEndpoints } from "./wait-for-endpoints.js";

/** Shared, because most calls have no failed attempts. */
const EMPTY: readonly never[] = [];

/**
 * One call: its attempts at one endpoint after the other, until one returns a result. A read
 * continues after any failure, a write only while no endpoint can have processed it.
 *
 * Every garbage collection copies the objects of the calls in flight. With hundreds of calls that
 * is most of their cost. So a call keeps few objects.
 */
export class Call<R extends HttpResponseHead, T> {
  readonly #spec: CallSpec<R, T>;
  readonly #settings: ClusterSettings;
  readonly #endpoints: EndpointSource;
  readonly #signal: AbortSignal | undefined;
  /** Monotonic time of the start of the call; of its first attempt, once it has waited for the endpoints. */
  #startedAt: number;
  /** Monotonic time after which no attempt begins. */
  readonly #deadline: number;
  readonly #trace: RequestTrace | undefined;
  #order: readonly Endpoint[] = EMPTY;
  #nextPosition = 0;
  #failures: readonly Attempt[] = EMPTY;
  /** Set once an attempt may have applied a write. Later attempts cannot resolve that. */
  #unknownOutcome: OutcomeUnknownError | undefined;

  constructor(
    spec: CallSpec<R, T>,
    settings: ClusterSettings,
    endpoints: EndpointSource,
    signal: AbortSignal | undefined,
  ) {
    this.#spec = spec;
    this.#settings = settings;
    this.#endpoints = endpoints;
    this.#signal = signal;
    const { deadline = Number.POSITIVE_INFINITY } = spec.request;
    this.#startedAt = settings.clock.monotonic();
    this.#deadline = Math.min(this.#startedAt + settings.timeout, deadline);
    this.#trace = newTrace(spec.request);
  }

  /**
   * Waits until the endpoints are `ready`, then makes the attempts. `closing` aborts the wait.
   *
   * @throws OutcomeUnknownError, ClusterUnavailableError, V2DisabledError, AbortError, …
   */
  run(ready: Promise<void> | undefined, closing: AbortSignal): Promise<T> {
    if (this.#trace === undefined) return this.#run(ready, closing);
    return traceRequest(this.#trace, () => this.#run(ready, closing));
  }

  /** Makes unhedged attempts inline: another async function would keep more objects. */
  async #run(ready: Promise<void> | undefined, closing: AbortSignal): Promise<T> {
    if (ready !== undefined) {
      await waitForEndpoints(ready, this.#spec.request, this.#settings, this.#signal, closing);
      this.#startedAt = this.#settings.clock.monotonic();
    }
    this.#order = this.#endpoints.inOrder();
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const isFirst = this.#failures.length === 0;
      const now = isFirst ? this.#startedAt : this.#settings.clock.monotonic();
      if (this.#deadline - now < 1) break;
      const hedged = this.#mayHedge();
      try {
        if (hedged) return await this.#hedgedAttempt(next, now);
        return this.#interpret(next, await this.#send(next, this.#signal, now));
      } catch (error) {
        if (!hedged) this.#recordOutcome(next, now, error);
        if (!(error instanceof AttemptFailure)) throw this.#withEarlierOutcome(error);
      }
    }
    throw this.#failure;
  }

  /** The endpoint to try next, if any. */
  #next(): Endpoint | undefined {
    return this.#order[this.#nextPosition++];
  }

  #mayHedge(): boolean {
    // Watches are not hedged. Both would share a signal, so the loser could not be aborted alone.
    const { safety, scope, isWatch: streams = false } = this.#spec.request;
    return (
      this.#settings.hedgeReadsAfter > 0 &&
      safety === "read" &&
      scope === "local" &&
      !streams &&
      this.#nextPosition < this.#order.length
    );
  }

  #hedgedAttempt(endpoint: Endpoint, now: number): Promise<T> {
    const { hedgeReadsAfter: delay, clock } = this.#settings;
    const first = (signal: AbortSignal): Promise<T> => this.#attempt(endpoint, signal, now);
    const second = (signal: AbortSignal): Promise<T> =>
      this.#attempt(this.#next() ?? endpoint, signal, clock.monotonic());
    return hedge(first, second, { delay, clock, signal: this.#signal });
  }

  async #attempt(endpoint: Endpoint, signal: AbortSignal, startedAt: number): Promise<T> {
    try {
      return this.#interpret(endpoint, await this.#send(endpoint, signal, startedAt));
    } catch (error) {
      this.#recordOutcome(endpoint, startedAt, error);
      throw error;
    }
  }

  #send(endpoint: Endpoint, signal: AbortSignal | undefined, startedAt: number): Promise<R> {
    const { request, send } = this.#spec;
    const { requestTimeout, writeTimeout } = this.#settings;
    const { scope, timeout: limit = Number.POSITIVE_INFINITY } = request;
    const scopeTimeout = scope === "quorum" ? writeTimeout : requestTimeout;
    // A hedged attempt may begin late when the event loop was blocked.
    const remaining = Math.max(1, this.#deadline - startedAt);
    const timeout = Math.ceil(Math.min(scopeTimeout, limit, remaining));
    if (this.#trace !== undefined) this.#trace.attempts++;
    return send(endpoint.url, request, { timeout, startedAt, signal });
  }

  #interpret(endpoint: Endpoint, response: R): T {
    if (this.#trace !== undefined) {
      this.#trace.endpoint = response.endpoint;
      this.#trace.status = response.status;
    }
    const result = this.#spec.interpret(response);
    this.#endpoints.onResponse(endpoint);
    return result;
  }

  /** Records what a failed attempt shows about its endpoint. */
  #recordOutcome(endpoint: Endpoint, startedAt: number, error: unknown): void {
    if (error instanceof AttemptFailure) this.#recordFailure(endpoint, startedAt, error);
    // An error from etcd proves that the endpoint works.
    else if (error instanceof EtcdError) this.#endpoints.onResponse(endpoint);
  }

  #recordFailure(endpoint: Endpoint, startedAt: number, failure: AttemptFailure): void {
    const { operation, safety } = this.#spec.request;
    const { cause, processed, endpointIs } = failure;
    if (endpointIs === "ready" && !this.#hasFailed(endpoint)) this.#retryFirst(endpoint);
    else if (endpointIs !== "healthy") endpoint.failed(startedAt);
    this.#failures = [...this.#failures, { endpoint: endpoint.url, cause, when: new Date() }];
    traceFailover({ operation, endpoint: endpoint.url, cause });
    if (safety === "read" || processed === "no") return;
    this.#unknownOutcome = new OutcomeUnknownError(operation, endpoint.url, cause);
    if (safety === "recorded" || !this.#settings.retryUnknownWrites) throw this.#unknownOutcome;
  }

  #hasFailed({ url }: Endpoint): boolean {
    return this.#failures.some(({ endpoint }) => endpoint === url);
  }

  /** Tries an endpoint again before the others. */
  #retryFirst(endpoint: Endpoint): void {
    this.#order = [endpoint, ...this.#order.slice(this.#nextPosition)];
    this.#nextPosition = 0;
  }

  /**
   * If aborted before a retry was sent, an earlier attempt may still have applied the write:
   * reports outcome `unknown`.
   */
  #withEarlierOutcome(error: unknown): unknown {
    return error instanceof AbortError && this.#unknownOutcome !== undefined
      ? new AbortError(this.#spec.request.operation, error.cause, "unknown")
      : error;
  }

  /** The error of a call without a successful attempt. */
  get #failure(): EtcdError {
    if (this.#unknownOutcome !== undefined) return this.#unknownOutcome;
    const { operation } = this.#spec.request;
    const { timeout } = this.#settings;
    const [first, second] = this.#failures;
    if (first === undefined) return notCompleted(operation, timeout);
    for (const DisabledError of [V2DisabledError, V3DisabledError]) {
      if (!this.#failures.every(({ cause }) => cause instanceof DisabledError)) continue;
      return new DisabledError(
        operation,
        this.#failures.map(({ endpoint }) => endpoint),
      );
    }
    // The error of a single attempt is more specific than ClusterUnavailableError.
    if (second === undefined && first.cause instanceof EtcdError) return first.cause;
    return new ClusterUnavailableError(operation, this.#failures);
  }
}
