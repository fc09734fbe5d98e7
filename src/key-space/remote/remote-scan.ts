import type { StreamedReply } from "../../cluster/exchange/exchange.js";
import { AbortError } from "../../errors/abort-error.js";
import { ProtocolError } from "../../errors/cluster-errors.js";
import type { AnswerOrigin, EtcdResponse } from "../../model/response.js";
import { type Clock, deadline } from "../../time/clock.js";
import type { HttpRequest } from "../../wire/http.js";
import { type JsonDeserializer, readObject } from "../../wire/json.js";
import { decodeEvent, readOrigin } from "../../wire/key-reply.js";
import { originOf } from "../../wire/reply.js";
import type { Scan } from "../key-space.js";

/**
 * Milliseconds from the head of the response to the half-close. etcd searches its history before it
 * sends the head, and needs a moment more until it waits for an event and for the end of the connection
 * at the same time: before that, the end can win over an event that was found.
 */
const SETTLE_MS = 20;
/** Milliseconds from the head of the response to its end. */
const END_TIMEOUT_MS = 5_000;

/**
 * A long poll that ends by itself. It gives an event that etcd finds in its history, or a clean end
 * without one, which proves that history holds none up to the index in the head of the response.
 */
export class RemoteScan {
  readonly #request: HttpRequest;
  readonly #reply: StreamedReply;
  readonly #deserialize: JsonDeserializer;
  readonly #origin: AnswerOrigin;
  #isHalfClosed = false;

  constructor(request: HttpRequest, reply: StreamedReply, deserialize: JsonDeserializer) {
    this.#request = request;
    this.#reply = reply;
    this.#deserialize = deserialize;
    this.#origin = readOrigin(reply, originOf(request, reply));
  }

  /** @throws AbortError, ProtocolError */
  async read(clock: Clock): Promise<Scan> {
    const { parts } = this.#reply;
    const cancelHalfClose = clock.after(SETTLE_MS, () => this.#halfClose());
    const expire = (): void => parts.close(new Error("timed out"));
    const cancelTimeout = deadline(clock, END_TIMEOUT_MS, expire);
    try {
      return await this.#read();
    } catch (error) {
      if (error instanceof AbortError || error instanceof ProtocolError) throw error;
      return { ...this.#origin, events: [], provenIndex: undefined };
    } finally {
      cancelHalfClose();
      cancelTimeout();
      parts.close();
    }
  }

  #halfClose(): void {
    this.#isHalfClosed = true;
    this.#reply.parts.halfClose();
  }

  async #read(): Promise<Scan> {
    const { parts } = this.#reply;
    const line = await parts.next();
    if (line.done === true) {
      const isProof = this.#isHalfClosed && this.#isDelimited;
      const provenIndex = isProof ? this.#origin.etcdIndex : undefined;
      return { ...this.#origin, events: [], provenIndex };
    }
    const event = this.#decode(line.value.toString());
    // At the end of the response, the connection can be used again.
    await parts.next().catch(() => {});
    return { ...this.#origin, events: [event], provenIndex: event.node.modifiedIndex - 1 };
  }

  #decode(line: string): EtcdResponse {
    const origin = originOf(this.#request, this.#reply);
    return decodeEvent(readObject(line, this.#deserialize, origin), this.#origin, origin);
  }

  /** Whether the end of the response can be told from a broken connection. */
  get #isDelimited(): boolean {
    return String(this.#reply.headers["transfer-encoding"]).toLowerCase() === "chunked";
  }
}
