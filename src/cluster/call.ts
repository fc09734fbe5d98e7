import {
  type Attempt,
  ClusterUnavailableError,
  OutcomeUnknownError,
  TimeoutError,
  V2DisabledError,
} from "../errors/cluster-errors.js";
import { EtcdError } from "../errors/etcd-error.js";
import { AttemptFailure } from "../wire/attempt-failure.js";
import type { HttpReplyHead, HttpRequest } from "../wire/http.js";
import type { ClusterSettings } from "./cluster-settings.js";
import type { Endpoint } from "./endpoint.js";
import type { EndpointList } from "./endpoint-list.js";
import { hedge } from "./hedge.js";
import { type RequestTrace, traceFailover } from "./tracing.js";
import type { AttemptLimits } from "./transport.js";

/**
 * Makes one attempt at one endpoint and tells the head of its reply before judging it.
 *
 * @throws AttemptFailure when another may follow
 */
export type MakeAttempt<T> = (
  url: string,
  limits: AttemptLimits,
  onReply: (head: HttpReplyHead) => void,
) => Promise<T>;

/**
 * One call: its attempts, one endpoint after the other, until one answers. Reads go on after any
 * failure; a write only while it is certain that nobody has processed it.
 */
export class Call<T> {
  readonly trace: RequestTrace;
  readonly #request: HttpRequest;
  readonly #makeAttempt: MakeAttempt<T>;
  readonly #settings: ClusterSettings;
  readonly #endpoints: EndpointList;
  readonly #signal: AbortSignal | undefined;
  readonly #startedAt: number;
  readonly #failed: Attempt[] = [];

  constructor(
    request: HttpRequest,
    makeAttempt: MakeAttempt<T>,
    settings: ClusterSettings,
    endpoints: EndpointList,
    signal: AbortSignal | undefined,
  ) {
    this.#request = request;
    this.#makeAttempt = makeAttempt;
    this.#settings = settings;
    this.#endpoints = endpoints;
    this.#signal = signal;
    this.#startedAt = settings.clock.monotonic();
    this.trace = { operation: request.operation, safety: request.safety, attempts: 0 };
  }

  /** @throws OutcomeUnknownError, ClusterUnavailableError, V2DisabledError, AbortError, … */
  async run(): Promise<T> {
    const untried = [...this.#endpoints.inOrder()];
    for (let next = untried.shift(); next !== undefined; next = untried.shift()) {
      if (this.#remaining <= 0) break;
      try {
        return await this.#attempt(next, untried);
      } catch (error) {
        if (!(error instanceof AttemptFailure)) throw error;
      }
    }
    throw this.#failure;
  }

  get #remaining(): number {
    const { timeout, clock } = this.#settings;
    return this.#startedAt + timeout - clock.monotonic();
  }

  #attempt(endpoint: Endpoint, untried: Endpoint[]): Promise<T> {
    const { hedgeReadsAfter, clock } = this.#settings;
    const [other] = untried;
    const { safety, scope } = this.#request;
    if (hedgeReadsAfter === 0 || other === undefined || safety === "write" || scope === "quorum") {
      return this.#attemptAt(endpoint, this.#signal);
    }
    const askOther = (signal: AbortSignal): Promise<T> => {
      untried.shift();
      return this.#attemptAt(other, signal);
    };
    const askFirst = (signal: AbortSignal): Promise<T> => this.#attemptAt(endpoint, signal);
    return hedge(askFirst, askOther, { delay: hedgeReadsAfter, clock, signal: this.#signal });
  }

  async #attemptAt(endpoint: Endpoint, signal: AbortSignal | undefined): Promise<T> {
    const { clock, requestTimeout, writeTimeout } = this.#settings;
    const startedAt = clock.monotonic();
    const limit = this.#request.scope === "quorum" ? writeTimeout : requestTimeout;
    this.trace.attempts++;
    try {
      const timeout = Math.min(limit, this.#remaining);
      const answer = await this.#makeAttempt(endpoint.url, { timeout, signal }, this.#onReply);
      this.#endpoints.answered(endpoint);
      return answer;
    } catch (error) {
      if (error instanceof AttemptFailure) this.#record(endpoint, startedAt, error);
      // A refusal is an answer like any other.
      else if (error instanceof EtcdError) this.#endpoints.answered(endpoint);
      throw error;
    }
  }

  readonly #onReply = ({ endpoint, status }: HttpReplyHead): void => {
    this.trace.endpoint = endpoint;
    this.trace.status = status;
  };

  #record(endpoint: Endpoint, startedAt: number, { cause, processed }: AttemptFailure): void {
    const { operation, safety } = this.#request;
    endpoint.failed(startedAt);
    this.#failed.push({ endpoint: endpoint.url, cause, when: new Date() });
    traceFailover({ operation, endpoint: endpoint.url, cause });
    if (safety === "read" || processed === "no" || this.#settings.retryUnknownWrites) return;
    throw new OutcomeUnknownError(operation, endpoint.url, cause);
  }

  /** Why the call ends without an answer. */
  get #failure(): EtcdError {
    const { operation } = this.#request;
    const { timeout } = this.#settings;
    const [first, second] = this.#failed;
    if (first === undefined) {
      return new TimeoutError(`${operation}: not done within ${timeout} ms`, timeout);
    }
    if (this.#failed.every(({ cause }) => cause instanceof V2DisabledError)) {
      return new V2DisabledError(
        operation,
        this.#failed.map(({ endpoint }) => endpoint),
      );
    }
    // What a single endpoint said is more than "no member answered".
    if (second === undefined && first.cause instanceof EtcdError) return first.cause;
    return new ClusterUnavailableError(operation, this.#failed);
  }
}
