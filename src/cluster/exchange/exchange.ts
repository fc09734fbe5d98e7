import { AbortError } from "../../errors/abort-error.js";
import { ResponseTooLargeError, TimeoutError } from "../../errors/cluster-errors.js";
import { ByteQueue } from "../../stream/byte-queue.js";
import { offAbort, onAbort } from "../../stream/on-abort.js";
import { type Clock, socketTimeout } from "../../time/clock.js";
import { AttemptFailure } from "../../wire/attempt-failure.js";
import { isGrpc, takeGrpcStatus } from "../../wire/grpc.js";
import type { HttpRequest, HttpResponse, HttpResponseHead } from "../../wire/http.js";
import type { BodyDecoder } from "./body-decoder.js";
import { mayConnectAgain, provesNotProcessed } from "./connection-errors.js";
import type { FlowControl } from "./flow-control.js";
import { GrpcFrameDecoder } from "./grpc-frame-decoder.js";
import { LineDecoder } from "./line-decoder.js";
import type { OutgoingRequest } from "./outgoing-request.js";
import type { ReceiveBudget, Reservation } from "./receive-budget.js";

const noop = (): void => {};

/** The response to a watch: its body is still being received. */
export interface StreamedResponse extends HttpResponseHead {
  /** Lines; with gRPC, messages. */
  readonly parts: BodyDecoder;
}

/** Settings of all exchanges of a cluster. */
export interface ExchangeSettings {
  /** Maximum bytes of a body, or of one event of a watch. */
  readonly maxResponseSize: number;
  /**
   * Milliseconds for the body of a response, after its head.
   *
   * @default the rest of the timeout of the exchange
   */
  readonly bodyTimeout?: number | undefined;
  /** @default none */
  readonly receiveBudget?: ReceiveBudget | undefined;
  readonly clock: Clock;
  /**
   * Called with each complete response. Returns the outcome of a request that it asks for, or `undefined` if it asks
   * for none. Must not throw.
   *
   * @default no response asks for another request
   */
  followUp?(exchange: Exchange, response: HttpResponse): Promise<Outcome> | undefined;
}

type Outcome = HttpResponse | StreamedResponse;

/** The connection or endpoint that runs an exchange. */
export interface ExchangeOwner {
  /**
   * Called once, when the exchange no longer needs the connection. `reusable`: the connection is in
   * order.
   */
  done(exchange: Exchange, reusable: boolean): void;
}

/**
 * One request to one endpoint. It records whether any byte of the request was written. Until then,
 * the endpoint has certainly not processed it.
 */
export class Exchange {
  readonly outgoing: OutgoingRequest;
  /**
   * A complete response, or a streamed one for an open watch. Rejects with AttemptFailure or
   * AbortError.
   */
  readonly response: Promise<HttpResponse | StreamedResponse>;
  owner: ExchangeOwner | undefined;
  /**
   * Whether the connection has carried other exchanges. Such a connection may have died while it
   * was idle.
   */
  reusesConnection = false;

  readonly #settings: ExchangeSettings;
  #resolve: (outcome: Outcome | Promise<Outcome>) => void = noop;
  #reject: (error: Error) => void = noop;
  #cancelTimer: () => void;
  #onAbort: (() => void) | undefined;
  #flow: FlowControl | undefined;
  #sent = false;
  #responding = false;
  #stale = false;
  #settled = false;
  #head: HttpResponseHead | undefined;
  #parts: BodyDecoder | undefined;
  #body: ByteQueue | undefined;
  #reservation: Reservation | undefined;

  constructor(outgoing: OutgoingRequest, settings: ExchangeSettings) {
    this.outgoing = outgoing;
    this.#settings = settings;
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const { timeout, signal } = outgoing.limits;
    this.#cancelTimer = socketTimeout(settings.clock, timeout, () => this.#onTimeout());
    if (signal === undefined) return;
    this.#onAbort = () => this.abort(signal.reason);
    onAbort(signal, this.#onAbort);
  }

  get request(): HttpRequest {
    return this.outgoing.request;
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** Whether the connection has probably died while it was idle. */
  get metStaleConnection(): boolean {
    return this.#stale;
  }

  /** The request is about to be written. */
  start(flow: FlowControl): void {
    this.#flow = flow;
    if (this.#settled) flow.abort(new Error("the request was aborted before it was sent"));
    else this.#sent = true;
  }

  /** The first byte of the response was received. */
  beginResponse(): void {
    this.#responding = true;
  }

  /** The head of the response was received. Ignores informational responses (1xx). */
  onHead(flow: FlowControl, status: number, headers: HttpResponseHead["headers"]): void {
    if (status < 200) return;
    const { endpoint, streams } = this.outgoing;
    this.#head = { status, headers, endpoint };
    // In gRPC, a status in the head means that no body follows.
    const hasBody = status === 200 && headers["grpc-status"] === undefined;
    if (streams && hasBody) this.#startStream(this.#head, flow);
    else if (this.#settings.bodyTimeout !== undefined)
      this.#restartTimer(this.#settings.bodyTimeout);
  }

  #restartTimer(timeout: number): void {
    if (this.#settled) return;
    this.#cancelTimer();
    this.#cancelTimer = socketTimeout(this.#settings.clock, timeout, () => this.#onTimeout());
  }

  /** The trailers were received. They contain the gRPC status. */
  onTrailers(trailers: HttpResponseHead["headers"]): void {
    if (this.#head !== undefined) takeGrpcStatus(this.#head.headers, trailers);
  }

  /** A chunk of the body was received. */
  onData(chunk: Buffer): void {
    if (this.#parts !== undefined) {
      this.#parts.push(chunk);
      return;
    }
    if (this.#settled) return;
    this.#body ??= new ByteQueue();
    this.#body.push(chunk);
    const { length } = this.#body;
    if (length > this.#settings.maxResponseSize) this.#refuseBody();
    else this.#reserve()?.set(length);
  }

  #reserve(): Reservation | undefined {
    this.#reservation ??= this.#settings.receiveBudget?.reserve((reason) => this.#giveUp(reason));
    return this.#reservation;
  }

  /**
   * The body is too large. This says nothing about the endpoint's health. Reads are not retried:
   * another endpoint would send the same body.
   */
  #refuseBody(): void {
    const { operation } = this.request;
    const { maxResponseSize } = this.#settings;
    this.#giveUp(new ResponseTooLargeError(operation, this.outgoing.endpoint, maxResponseSize));
  }

  /** Ends the exchange, because its response needs too much memory. */
  #giveUp(error: Error): void {
    if (this.#parts !== undefined) {
      this.#parts.close(error);
      return;
    }
    if (this.#settled) return;
    if (this.request.safety !== "read") {
      this.#failAndClose(error);
      return;
    }
    this.#settle();
    this.#reject(error);
    this.#closeConnection();
  }

  /** The response is complete, or the stream has ended without one. */
  end(): void {
    if (this.#head === undefined) {
      this.fail(new Error("the connection ended without a response"));
      return;
    }
    if (this.#parts !== undefined) this.#parts.end();
    else {
      const response = this.#completeResponse(this.#head);
      this.#settle();
      this.#resolve(this.#settings.followUp?.(this, response) ?? response);
    }
    this.owner?.done(this, true);
  }

  /** The connection failed, or could not be opened. */
  fail(error: Error): void {
    this.#parts?.end(error);
    if (this.#head === undefined && provesNotProcessed(error)) this.#sent = false;
    this.#fail(error);
    this.owner?.done(this, false);
  }

  #startStream(head: HttpResponseHead, flow: FlowControl): void {
    const { maxResponseSize } = this.#settings;
    const Parts = isGrpc(head.headers) ? GrpcFrameDecoder : LineDecoder;
    const parts = new Parts(flow, maxResponseSize, () => this.#release(), this.#reserve());
    this.#parts = parts;
    this.#cancelTimer();
    // A watch may last for days: release the reference to the timer.
    this.#cancelTimer = noop;
    this.#settled = true;
    this.#resolve({ ...head, parts });
  }

  #completeResponse({ status, headers, endpoint }: HttpResponseHead): HttpResponse {
    const bytes = this.#body?.take() ?? Buffer.alloc(0);
    if (isGrpc(headers)) return { status, headers, endpoint, body: "", grpcBody: bytes };
    return { status, headers, endpoint, body: bytes.toString() };
  }

  get #origin(): string {
    return `${this.request.operation} at ${this.outgoing.endpoint}`;
  }

  #onTimeout(): void {
    const { timeout } = this.outgoing.limits;
    const missing = this.#sent ? "no response" : "no connection";
    this.#failAndClose(
      new TimeoutError(`${this.#origin}: ${missing} within ${timeout} ms`, timeout),
    );
  }

  /** Aborts the exchange, or ends the watch that it opened. */
  abort(reason: unknown): void {
    if (this.#parts !== undefined) {
      this.#parts.close(new AbortError(this.request.operation, reason, "none"));
      return;
    }
    if (this.#settled) return;
    this.#settle();
    this.#reject(new AbortError(this.request.operation, reason, this.#abortedOutcome()));
    this.#closeConnection();
  }

  #abortedOutcome(): AbortError["outcome"] {
    if (this.request.safety === "read") return "none";
    return this.#sent ? "unknown" : "not-sent";
  }

  #failAndClose(error: Error): void {
    this.#fail(error);
    this.#closeConnection();
  }

  #fail(error: Error): void {
    if (this.#settled) return;
    this.#settle();
    this.#stale = this.reusesConnection && !this.#responding;
    this.#reject(
      new AttemptFailure(this.#sent ? "unknown" : "no", error, this.#endpointAfter(error)),
    );
  }

  #endpointAfter(error: Error): AttemptFailure["endpointIs"] {
    if (error instanceof ResponseTooLargeError) return "healthy";
    const mayRepeat = !this.#sent || this.request.safety === "read";
    if (this.#stale && mayRepeat && !(error instanceof TimeoutError)) return "ready";
    return !this.#sent && mayConnectAgain(error) ? "ready" : "failed";
  }

  /** Closes the connection, which may carry a partial request or response. */
  #closeConnection(): void {
    this.#flow?.abort(new Error("the exchange ended early"));
    this.owner?.done(this, false);
  }

  #settle(): void {
    this.#settled = true;
    this.#release();
  }

  #release(): void {
    this.#cancelTimer();
    this.#reservation?.release();
    if (this.#onAbort === undefined) return;
    offAbort(this.outgoing.limits.signal, this.#onAbort);
  }
}
