import type { StreamedReply } from "../cluster/exchange/exchange.js";
import { traceWatch } from "../cluster/exchange/tracing.js";
import { AbortError } from "../errors/abort-error.js";
import { ClusterUnavailableError, TimeoutError } from "../errors/cluster-errors.js";
import { EtcdError } from "../errors/etcd-error.js";
import { type Clock, deadline } from "../time/clock.js";
import { AttemptFailure } from "../wire/attempt-failure.js";
import type { JsonObject } from "../wire/json.js";
import type { V3Call, V3Stream } from "./v3-api.js";
import { decodeV3Part, requireGoodEnd, TokenRefused, tokenRefused } from "./v3-reply.js";

/** etcd 3.4 says of a token that it does not know any more that the permission is missing. */
const NOT_ALLOWED = /etcdserver: (?:permission denied|invalid auth token|user name is empty)/;

/** A call of the v3 API that goes on answering: with messages of gRPC, or lines of JSON. */
export class RemoteV3Stream implements V3Stream {
  readonly endpoint: string;
  readonly #call: V3Call;
  readonly #reply: StreamedReply;
  #first: JsonObject | undefined;
  #closed = false;

  constructor(call: V3Call, reply: StreamedReply) {
    this.endpoint = reply.endpoint;
    this.#call = call;
    this.#reply = reply;
    this.#trace("open");
  }

  /**
   * Waits for the first answer: a watch that is not allowed is ended in that, not refused.
   *
   * @param timeout milliseconds to wait
   * @throws TokenRefused, ClusterUnavailableError, TimeoutError, AbortError
   */
  async begin(clock: Clock, timeout: number): Promise<this> {
    const first = await this.#inTime(clock, timeout);
    this.#first = first;
    const reason = first?.canceled === true ? String(first.cancel_reason) : "";
    const refused = NOT_ALLOWED.exec(reason);
    if (refused === null) return this;
    this.close();
    throw tokenRefused(this.#call, this.endpoint, refused[0]);
  }

  #inTime(clock: Clock, timeout: number): Promise<JsonObject | undefined> {
    const what = `${this.#call.operation} at ${this.endpoint}: begun, but nothing came`;
    const cancel = deadline(clock, timeout, () => {
      this.#reply.parts.close(new TimeoutError(`${what} within ${timeout} ms`, timeout));
    });
    return this.#read().finally(cancel);
  }

  get received(): number {
    return this.#reply.parts.received;
  }

  async next(): Promise<JsonObject | undefined> {
    const first = this.#first;
    this.#first = undefined;
    return first ?? (await this.#read());
  }

  async #read(): Promise<JsonObject | undefined> {
    try {
      const part = await this.#reply.parts.next();
      if (part.done !== true) return decodeV3Part(this.#call, this.#reply, part.value);
      this.close();
      requireGoodEnd(this.#call, this.#reply);
      return undefined;
    } catch (error) {
      this.close();
      throw this.#broken(error as Error);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reply.parts.close();
    this.#trace("end");
  }

  /** What a member cannot go on with, another one may. */
  #broken(error: Error): Error {
    if (error instanceof EtcdError || error instanceof AbortError) return error;
    const ours = error instanceof AttemptFailure || error instanceof TokenRefused;
    const cause = ours ? error.cause : error;
    const attempt = { endpoint: this.endpoint, cause, when: new Date() };
    return new ClusterUnavailableError(this.#call.operation, [attempt]);
  }

  #trace(event: "open" | "end"): void {
    traceWatch({ operation: this.#call.operation, endpoint: this.endpoint, event });
  }
}
