import { AbortError } from "../errors/abort-error.js";
import {
  type Attempt,
  ClusterUnavailableError,
  OutcomeUnknownError,
  TimeoutError,
  V2DisabledError,
} from "../errors/cluster-errors.js";
import { EtcdError } from "../errors/etcd-error.js";
import { V3DisabledError } from "../errors/v3-errors.js";
import { follow } from "../time/follow.js";
import { within } from "../time/within.js";
import { AttemptFailure } from "../wire/attempt-failure.js";
import type { HttpReplyHead, HttpRequest } from "../wire/http.js";
import type { ClusterSettings } from "./cluster-settings.js";
import type { Endpoint } from "./endpoint.js";
import type { Candidates } from "./endpoint-list.js";
import { hedge } from "./hedge.js";
import { type RequestTrace, traceFailover } from "./tracing.js";
import type { AttemptLimits } from "./transport.js";

/** How an attempt is made: in two steps, as what is replied is traced before it is judged. */
export interface AttemptMaker<R extends HttpReplyHead, T> {
  /** @throws AttemptFailure when another attempt may follow */
  ask(url: string, limits: AttemptLimits): Promise<R>;
  /** @throws AttemptFailure when another attempt may follow */
  interpret(reply: R): T;
}

/**
 * One call: its attempts, one endpoint after the other, until one answers. Reads go on after any
 * failure; a write only while it is certain that nobody has processed it.
 */
export class Call<R extends HttpReplyHead, T> {
  readonly trace: RequestTrace;
  readonly #request: HttpRequest;
  readonly #attemptMaker: AttemptMaker<R, T>;
  readonly #settings: ClusterSettings;
  readonly #endpoints: Candidates;
  readonly #signal: AbortSignal | undefined;
  /** Moment (monotonic) after which no attempt begins. */
  readonly #deadline: number;
  readonly #failed: Attempt[] = [];
  /** Set once an attempt may have carried a write out: nothing later makes that certain again. */
  #unknown: OutcomeUnknownError | undefined;

  constructor(
    request: HttpRequest,
    attemptMaker: AttemptMaker<R, T>,
    settings: ClusterSettings,
    endpoints: Candidates,
    signal: AbortSignal | undefined,
  ) {
    this.#request = request;
    this.#attemptMaker = attemptMaker;
    this.#settings = settings;
    this.#endpoints = endpoints;
    this.#signal = signal;
    this.#deadline = settings.clock.monotonic() + settings.timeout;
    this.trace = { operation: request.operation, safety: request.safety, attempts: 0 };
  }

  /**
   * Makes the attempts, once the endpoints are `ready`; `closing` aborts when they will never be.
   *
   * @throws OutcomeUnknownError, ClusterUnavailableError, V2DisabledError, AbortError, …
   */
  async run(ready: Promise<void> | undefined, closing: AbortSignal): Promise<T> {
    if (ready !== undefined) await this.#until(ready, closing);
    const untried = [...this.#endpoints.inOrder()];
    for (let next = untried.shift(); next !== undefined; next = untried.shift()) {
      const now = this.#settings.clock.monotonic();
      if (this.#deadline - now < 1) break;
      try {
        return await this.#attempt(next, untried, now);
      } catch (error) {
        if (!(error instanceof AttemptFailure)) throw this.#inHindsight(error);
      }
    }
    throw this.#failure;
  }

  #until(ready: Promise<void>, closing: AbortSignal): Promise<void> {
    const { operation, safety } = this.#request;
    const either = follow(this.#signal, closing);
    const outcome = safety === "write" ? "not sent" : "none";
    return within(ready, {
      milliseconds: this.#deadline - this.#settings.clock.monotonic(),
      clock: this.#settings.clock,
      signal: either.signal,
      onTimeout: () => this.#failure,
      onAbort: (reason) => new AbortError(operation, reason, outcome),
    }).finally(either.letGo);
  }

  #attempt(endpoint: Endpoint, untried: Endpoint[], now: number): Promise<T> {
    const { hedgeReadsAfter } = this.#settings;
    // Of two watches, the loser could not be called off without the winner: they share a signal.
    const { safety, scope, streams = false } = this.#request;
    const hedged = hedgeReadsAfter > 0 && safety === "read" && scope === "local" && !streams;
    return hedged && untried.length > 0
      ? this.#hedgedAttempt(endpoint, untried, now)
      : this.#attemptAt(endpoint, this.#signal, now);
  }

  #hedgedAttempt(endpoint: Endpoint, untried: Endpoint[], now: number): Promise<T> {
    const { hedgeReadsAfter: delay, clock } = this.#settings;
    const askFirst = (signal: AbortSignal): Promise<T> => this.#attemptAt(endpoint, signal, now);
    const askOther = (signal: AbortSignal): Promise<T> => {
      const other = untried.shift() ?? endpoint;
      return this.#attemptAt(other, signal, clock.monotonic());
    };
    return hedge(askFirst, askOther, { delay, clock, signal: this.#signal });
  }

  async #attemptAt(
    endpoint: Endpoint,
    signal: AbortSignal | undefined,
    startedAt: number,
  ): Promise<T> {
    const { requestTimeout, writeTimeout } = this.#settings;
    const { scope, timeout: limit = Number.POSITIVE_INFINITY } = this.#request;
    const usual = scope === "quorum" ? writeTimeout : requestTimeout;
    this.trace.attempts++;
    try {
      const timeout = Math.ceil(Math.min(usual, limit, this.#deadline - startedAt));
      const reply = await this.#attemptMaker.ask(endpoint.url, { timeout, signal });
      this.trace.endpoint = reply.endpoint;
      this.trace.status = reply.status;
      const answer = this.#attemptMaker.interpret(reply);
      this.#endpoints.answered(endpoint);
      return answer;
    } catch (error) {
      if (error instanceof AttemptFailure) this.#record(endpoint, startedAt, error);
      // A refusal is an answer like any other.
      else if (error instanceof EtcdError) this.#endpoints.answered(endpoint);
      throw error;
    }
  }

  #record(endpoint: Endpoint, startedAt: number, failure: AttemptFailure): void {
    const { operation, safety } = this.#request;
    const { cause, processed } = failure;
    if (failure.endpointIs === "ill") endpoint.failed(startedAt);
    this.#failed.push({ endpoint: endpoint.url, cause, when: new Date() });
    traceFailover({ operation, endpoint: endpoint.url, cause });
    if (safety === "read" || processed === "no") return;
    this.#unknown = new OutcomeUnknownError(operation, endpoint.url, cause);
    if (!this.#settings.retryUnknownWrites) throw this.#unknown;
  }

  /** An abort before a repetition was sent says nothing of the attempts before it. */
  #inHindsight(error: unknown): unknown {
    return error instanceof AbortError && this.#unknown !== undefined
      ? new AbortError(this.#request.operation, error.cause, "unknown")
      : error;
  }

  /** Why the call ends without an answer. */
  get #failure(): EtcdError {
    if (this.#unknown !== undefined) return this.#unknown;
    const { operation } = this.#request;
    const { timeout } = this.#settings;
    const [first, second] = this.#failed;
    if (first === undefined) {
      return new TimeoutError(`${operation}: not done within ${timeout} ms`, timeout);
    }
    for (const DisabledError of [V2DisabledError, V3DisabledError]) {
      if (!this.#failed.every(({ cause }) => cause instanceof DisabledError)) continue;
      return new DisabledError(
        operation,
        this.#failed.map(({ endpoint }) => endpoint),
      );
    }
    // What a single endpoint said is more than "no member answered".
    if (second === undefined && first.cause instanceof EtcdError) return first.cause;
    return new ClusterUnavailableError(operation, this.#failed);
  }
}
