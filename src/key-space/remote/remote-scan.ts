import type { StreamedResponse } from "../../cluster/exchange/exchange.js";
import { AbortError } from "../../errors/abort-error.js";
import { ProtocolError } from "../../errors/cluster-errors.js";
import type { EtcdResponse, ResponseOrigin } from "../../model/response.js";
import { type Clock, socketTimeout } from "../../time/clock.js";
import type { HttpRequest } from "../../wire/http.js";
import { requestAtEndpoint } from "../../wire/http-response.js";
import { type JsonDeserializer, readObject } from "../../wire/json.js";
import { decodeEvent, readOrigin } from "../../wire/key-response.js";
import type { Scan } from "./watch/watch-requests.js";

/**
 * Milliseconds from the response headers to the half-close. etcd searches its history, sends the
 * headers, and then waits for an event or the end of the connection. If the connection ends before
 * that wait, etcd can return the end instead of an event that it has found.
 */
const SETTLE_MS = 20;
/** Maximum milliseconds from the response headers to the end of the response. */
const END_TIMEOUT_MS = 5_000;

/**
 * A long poll that ends by itself. It returns an event from etcd's history, or ends cleanly without
 * one. The clean end proves that history has no event up to the index in the response headers.
 */
export class RemoteScan {
  readonly #request: HttpRequest;
  readonly #response: StreamedResponse;
  readonly #deserialize: JsonDeserializer;
  readonly #origin: ResponseOrigin;
  #isHalfClosed = false;

  constructor(request: HttpRequest, response: StreamedResponse, deserialize: JsonDeserializer) {
    this.#request = request;
    this.#response = response;
    this.#deserialize = deserialize;
    this.#origin = readOrigin(response, requestAtEndpoint(request, response));
  }

  /** @throws AbortError, ProtocolError */
  async read(clock: Clock): Promise<Scan> {
    const { parts } = this.#response;
    const cancelHalfClose = clock.after(SETTLE_MS, () => this.#halfClose());
    const expire = (): void => parts.close(new Error("timed out"));
    const cancelTimeout = socketTimeout(clock, END_TIMEOUT_MS, expire);
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
    this.#response.parts.halfClose();
  }

  async #read(): Promise<Scan> {
    const { parts } = this.#response;
    const line = await parts.next();
    if (line.done === true) {
      const isProof = this.#isHalfClosed && this.#isDelimited;
      const provenIndex = isProof ? this.#origin.etcdIndex : undefined;
      return { ...this.#origin, events: [], provenIndex };
    }
    const event = this.#decode(line.value.toString());
    // The connection can be reused after the end of the response.
    await parts.next().catch(() => {});
    return { ...this.#origin, events: [event], provenIndex: event.node.modifiedIndex - 1 };
  }

  #decode(line: string): EtcdResponse {
    const origin = requestAtEndpoint(this.#request, this.#response);
    return decodeEvent(readObject(line, this.#deserialize, origin), this.#origin, origin);
  }

  /** Whether a complete response can be distinguished from a broken connection. */
  get #isDelimited(): boolean {
    return String(this.#response.headers["transfer-encoding"]).toLowerCase() === "chunked";
  }
}
