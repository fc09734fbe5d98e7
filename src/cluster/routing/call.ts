import { AbortError } from "../../errors/abort-error.js";
import {
  type Attempt,
  ClusterUnavailableError,
  OutcomeUnknownError,
  TimeoutError,
  V2DisabledError,
} from "../../errors/cluster-errors.js";
import { EtcdError } from "../../errors/etcd-error.js";
import { V3DisabledError } from "../../errors/v3-errors.js";
import { AttemptFailure } from "../../wire/attempt-failure.js";
import type { HttpReplyHead } from "../../wire/http.js";
import { newTrace, type RequestTrace, traceFailover, traceRequest } from "../exchange/tracing.js";
import type { CallSpec } from "./call-spec.js";
import type { ClusterSettings } from "./cluster-settings.js";
import type { Endpoint } from "./endpoint.js";
import type { EndpointSource } from "./endpoint-list.js";
import { hedge } from "./hedge.js";
import { waitForEndpoints } from "./wait-for-endpoints.js";

/** Shared, since most calls have no need of a list of their own. */
const NONE: readonly never[] = [];

/**
 * One call: its attempts, one endpoint after the other, until one answers. Reads go on after any
 * failure; a write only while it is certain that nobody has processed it.
 *
 * What a call holds while it is under way is copied by each of the garbage collections that it
 * outlives: with hundreds of calls in flight that is most of what they cost. So there is little of it.
 */
export class Call<R extends HttpReplyHead, T> {
  readonly #spec: CallSpec<R, T>;
  readonly #settings: ClusterSettings;
  readonly #endpoints: EndpointSource;
  readonly #signal: AbortSignal | undefined;
  /** Moment (monotonic) after which no attempt begins. */
  readonly #deadline: number;
  readonly #trace: RequestTrace | undefined;
  #order: readonly Endpoint[] = NONE;
  #tried = 0;
  #failed: readonly Attempt[] = NONE;
  /** Set once an attempt may have carried a write out: nothing later makes that certain again. */
  #unknown: OutcomeUnknownError | undefined;

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
    this.#deadline = settings.clock.monotonic() + settings.timeout;
    this.#trace = newTrace(spec.request);
  }

  /**
   * Makes the attempts, once the endpoints are `ready`; `closing` aborts when they will never be.
   *
   * @throws OutcomeUnknownError, ClusterUnavailableError, V2DisabledError, AbortError, …
   */
  run(ready: Promise<void> | undefined, closing: AbortSignal): Promise<T> {
    if (this.#trace === undefined) return this.#run(ready, closing);
    return traceRequest(this.#trace, () => this.#run(ready, closing));
  }

  /** An attempt that is not hedged is made right here: an async function more would be held, too. */
  async #run(ready: Promise<void> | undefined, closing: AbortSignal): Promise<T> {
    if (ready !== undefined) {
      await waitForEndpoints(ready, this.#spec.request, this.#settings, this.#signal, closing);
    }
    this.#order = this.#endpoints.inOrder();
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const now = this.#settings.clock.monotonic();
      if (this.#deadline - now < 1) break;
      const hedged = this.#mayHedge();
      try {
        if (hedged) return await this.#hedgedAttempt(next, now);
        return this.#answer(next, await this.#send(next, this.#signal, now));
      } catch (error) {
        if (!hedged) this.#recordOutcome(next, now, error);
        if (!(error instanceof AttemptFailure)) throw this.#withEarlierOutcome(error);
      }
    }
    throw this.#failure;
  }

  /** The endpoint to try next, if there is another. */
  #next(): Endpoint | undefined {
    return this.#order[this.#tried++];
  }

  #mayHedge(): boolean {
    // Of two watches, the loser could not be called off without the winner: they share a signal.
    const { safety, scope, streams = false } = this.#spec.request;
    return (
      this.#settings.hedgeReadsAfter > 0 &&
      safety === "read" &&
      scope === "local" &&
      !streams &&
      this.#tried < this.#order.length
    );
  }

  #hedgedAttempt(endpoint: Endpoint, now: number): Promise<T> {
    const { hedgeReadsAfter: delay, clock } = this.#settings;
    const askFirst = (signal: AbortSignal): Promise<T> => this.#attempt(endpoint, signal, now);
    const askOther = (signal: AbortSignal): Promise<T> =>
      this.#attempt(this.#next() ?? endpoint, signal, clock.monotonic());
    return hedge(askFirst, askOther, { delay, clock, signal: this.#signal });
  }

  async #attempt(endpoint: Endpoint, signal: AbortSignal, startedAt: number): Promise<T> {
    try {
      return this.#answer(endpoint, await this.#send(endpoint, signal, startedAt));
    } catch (error) {
      this.#recordOutcome(endpoint, startedAt, error);
      throw error;
    }
  }

  #send(endpoint: Endpoint, signal: AbortSignal | undefined, startedAt: number): Promise<R> {
    const { request, ask } = this.#spec;
    const { requestTimeout, writeTimeout } = this.#settings;
    const { scope, timeout: limit = Number.POSITIVE_INFINITY } = request;
    const usual = scope === "quorum" ? writeTimeout : requestTimeout;
    // A hedge may begin late, when the event loop was blocked.
    const left = Math.max(1, this.#deadline - startedAt);
    const timeout = Math.ceil(Math.min(usual, limit, left));
    if (this.#trace !== undefined) this.#trace.attempts++;
    return ask(endpoint.url, request, { timeout, signal });
  }

  #answer(endpoint: Endpoint, reply: R): T {
    if (this.#trace !== undefined) {
      this.#trace.endpoint = reply.endpoint;
      this.#trace.status = reply.status;
    }
    const answer = this.#spec.interpret(reply);
    this.#endpoints.answered(endpoint);
    return answer;
  }

  /** Takes note of what an attempt that brought no answer says of its endpoint. */
  #recordOutcome(endpoint: Endpoint, startedAt: number, error: unknown): void {
    if (error instanceof AttemptFailure) this.#record(endpoint, startedAt, error);
    // A refusal is an answer like any other.
    else if (error instanceof EtcdError) this.#endpoints.answered(endpoint);
  }

  #record(endpoint: Endpoint, startedAt: number, failure: AttemptFailure): void {
    const { operation, safety } = this.#spec.request;
    const { cause, processed, endpointIs } = failure;
    if (endpointIs === "ready" && !this.#hasFailed(endpoint)) this.#repeat(endpoint);
    else if (endpointIs !== "well") endpoint.failed(startedAt);
    this.#failed = [...this.#failed, { endpoint: endpoint.url, cause, when: new Date() }];
    traceFailover({ operation, endpoint: endpoint.url, cause });
    if (safety === "read" || processed === "no") return;
    this.#unknown = new OutcomeUnknownError(operation, endpoint.url, cause);
    if (!this.#settings.retryUnknownWrites) throw this.#unknown;
  }

  #hasFailed({ url }: Endpoint): boolean {
    return this.#failed.some(({ endpoint }) => endpoint === url);
  }

  /** Asks an endpoint once more, before the others. */
  #repeat(endpoint: Endpoint): void {
    this.#order = [endpoint, ...this.#order.slice(this.#tried)];
    this.#tried = 0;
  }

  /** An abort before a repetition was sent says nothing of the attempts before it. */
  #withEarlierOutcome(error: unknown): unknown {
    return error instanceof AbortError && this.#unknown !== undefined
      ? new AbortError(this.#spec.request.operation, error.cause, "unknown")
      : error;
  }

  /** Why the call ends without an answer. */
  get #failure(): EtcdError {
    if (this.#unknown !== undefined) return this.#unknown;
    const { operation } = this.#spec.request;
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
