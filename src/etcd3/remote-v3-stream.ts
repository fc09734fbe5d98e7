import type { StreamedResponse } from "../cluster/exchange/exchange.js";
import { traceWatch } from "../diagnostics/channels.js";
import { AbortError } from "../errors/abort-error.js";
import { ClusterUnavailableError, TimeoutError } from "../errors/cluster-errors.js";
import { EtcdError } from "../errors/etcd-error.js";
import { type Clock, socketTimeout } from "../time/clock.js";
import { AttemptFailure } from "../wire/attempt-failure.js";
import { decodeWatchMessage, requireOkAtEnd } from "./decode-response.js";
import { watchDenialIn } from "./error-messages.js";
import { TokenRefused, tokenRefused } from "./response-error.js";
import type { WatchResponse } from "./rpcs.js";
import type { V3Call, V3Stream } from "./v3-api.js";

/** A streaming call of the v3 API: gRPC messages, or lines of JSON. */
export class RemoteV3Stream implements V3Stream {
  readonly endpoint: string;
  readonly #call: V3Call;
  readonly #response: StreamedResponse;
  #first: WatchResponse | undefined;
  #closed = false;

  constructor(call: V3Call, response: StreamedResponse) {
    this.endpoint = response.endpoint;
    this.#call = call;
    this.#response = response;
    this.#trace("open");
  }

  /**
   * Waits for the first message. etcd cancels a forbidden watch in that message instead of
   * rejecting the request.
   *
   * @param timeout milliseconds to wait
   * @throws TokenRefused, ClusterUnavailableError, TimeoutError, AbortError
   */
  async begin(clock: Clock, timeout: number): Promise<this> {
    const first = await this.#readWithTimeout(clock, timeout);
    this.#first = first;
    const denial = first?.canceled === true ? watchDenialIn(first.cancel_reason) : undefined;
    if (denial === undefined) return this;
    this.close();
    throw tokenRefused(this.#call, this.endpoint, denial);
  }

  #readWithTimeout(clock: Clock, timeout: number): Promise<WatchResponse | undefined> {
    const what = `${this.#call.operation} at ${this.endpoint}: no first message`;
    const cancel = socketTimeout(clock, timeout, () => {
      this.#response.parts.close(new TimeoutError(`${what} within ${timeout} ms`, timeout));
    });
    return this.#read().finally(cancel);
  }

  get received(): number {
    return this.#response.parts.received;
  }

  async next(): Promise<WatchResponse | undefined> {
    const first = this.#first;
    this.#first = undefined;
    return first ?? (await this.#read());
  }

  async #read(): Promise<WatchResponse | undefined> {
    try {
      const part = await this.#response.parts.next();
      if (part.done !== true) return decodeWatchMessage(this.#call, this.#response, part.value);
      this.close();
      requireOkAtEnd(this.#call, this.#response);
      return undefined;
    } catch (error) {
      this.close();
      throw this.#failureOf(error as Error);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#response.parts.close();
    this.#trace("end");
  }

  /** Makes the failure of a stream retryable: another member may be able to continue. */
  #failureOf(error: Error): Error {
    if (error instanceof EtcdError || error instanceof AbortError) return error;
    const isWrapped = error instanceof AttemptFailure || error instanceof TokenRefused;
    const cause = isWrapped ? error.cause : error;
    const attempt = { endpoint: this.endpoint, cause, when: new Date() };
    return new ClusterUnavailableError(this.#call.operation, [attempt]);
  }

  #trace(event: "open" | "end"): void {
    traceWatch({ operation: this.#call.operation, endpoint: this.endpoint, event });
  }
}
