import { AbortError } from "../../errors/abort-error.js";
import { ResponseTooLargeError, TimeoutError } from "../../errors/cluster-errors.js";
import { ByteQueue } from "../../stream/byte-queue.js";
import { onAbort } from "../../stream/on-abort.js";
import { type Clock, deadline } from "../../time/clock.js";
import { AttemptFailure } from "../../wire/attempt-failure.js";
import { isGrpc, takeGrpcStatus } from "../../wire/grpc.js";
import type { HttpReply, HttpReplyHead, HttpRequest } from "../../wire/http.js";
import type { BodyDecoder } from "./body-decoder.js";
import { provesNotProcessed, UnusableConnectionError } from "./connection-errors.js";
import type { FlowControl } from "./flow-control.js";
import { GrpcFrameDecoder } from "./grpc-frame-decoder.js";
import { LineDecoder } from "./line-decoder.js";
import type { OutgoingRequest } from "./outgoing-request.js";

const nothing = (): void => {};

/** A reply whose body is still coming: a watch. */
export interface StreamedReply extends HttpReplyHead {
  /** Lines; of gRPC, messages. */
  readonly parts: BodyDecoder;
}

/** What all exchanges have in common. */
export interface ExchangeSettings {
  /** Bytes of a body, or of one event of a watch. */
  readonly maxResponseSize: number;
  readonly clock: Clock;
  /** What becomes of a whole reply, such as the reply to where it redirects. */
  conclude(exchange: Exchange, reply: HttpReply): Outcome;
}

type Outcome = HttpReply | StreamedReply | Promise<HttpReply | StreamedReply>;

/** What carries an exchange. */
export interface ExchangeOwner {
  /** Told once, when the exchange no longer needs it; it is reusable if it is in order. */
  done(exchange: Exchange, reusable: boolean): void;
}

/**
 * One request at one endpoint, from its dispatch to the settled promise. It knows whether any byte
 * of the request was written: until then the endpoint certainly did not process it.
 */
export class Exchange {
  readonly outgoing: OutgoingRequest;
  /** A whole reply; for a watch that stands, a streamed one. Fails with AttemptFailure or AbortError. */
  readonly reply: Promise<HttpReply | StreamedReply>;
  owner: ExchangeOwner | undefined;
  /** Whether its connection carried others before, and may have died since. */
  reusesConnection = false;

  readonly #settings: ExchangeSettings;
  #resolve: (outcome: Outcome) => void = nothing;
  #reject: (error: Error) => void = nothing;
  #cancelTimer: () => void;
  #onAbort: (() => void) | undefined;
  #flow: FlowControl | undefined;
  #sent = false;
  #answering = false;
  #stale = false;
  #settled = false;
  #head: HttpReplyHead | undefined;
  #parts: BodyDecoder | undefined;
  #body: ByteQueue | undefined;

  constructor(outgoing: OutgoingRequest, settings: ExchangeSettings) {
    this.outgoing = outgoing;
    this.#settings = settings;
    this.reply = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const { timeout, signal } = outgoing.limits;
    this.#cancelTimer = deadline(settings.clock, timeout, () => this.#timeOut());
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

  /** Whether it failed as one does on a connection that had died while it was idle. */
  get metStaleConnection(): boolean {
    return this.#stale;
  }

  /** The request is about to be written. */
  start(flow: FlowControl): void {
    this.#flow = flow;
    if (this.#settled) flow.abort(new Error("given up before it was sent"));
    else this.#sent = true;
  }

  /** The first byte of a reply has come. */
  beginAnswer(): void {
    this.#answering = true;
  }

  /** The head of the reply has come, or of one that announces it. */
  takeHead(flow: FlowControl, status: number, headers: HttpReplyHead["headers"]): void {
    if (status < 200) return;
    const { endpoint, streams } = this.outgoing;
    this.#head = { status, headers, endpoint };
    // gRPC tells its status first only when nothing else comes.
    const goesOn = status === 200 && headers["grpc-status"] === undefined;
    if (streams && goesOn) this.#startStream(this.#head, flow);
  }

  /** What is only told behind the body has come: how a call of gRPC ended. */
  takeTrailers(trailers: HttpReplyHead["headers"]): void {
    if (this.#head !== undefined) takeGrpcStatus(this.#head.headers, trailers);
  }

  /** A piece of the body has come. */
  take(chunk: Buffer): void {
    if (this.#parts !== undefined) {
      this.#parts.push(chunk);
      return;
    }
    this.#body ??= new ByteQueue();
    this.#body.push(chunk);
    if (this.#body.length > this.#settings.maxResponseSize) this.#refuseBody();
  }

  /** The endpoint is not to blame. For a read, no other one would answer with less. */
  #refuseBody(): void {
    const { operation, safety } = this.request;
    const { maxResponseSize } = this.#settings;
    const error = new ResponseTooLargeError(operation, this.outgoing.endpoint, maxResponseSize);
    if (safety !== "read") {
      this.#giveUp(error);
      return;
    }
    this.#settle();
    this.#reject(error);
    this.#drop();
  }

  /** The reply is complete, or there will be none. */
  end(): void {
    if (this.#head === undefined) {
      this.fail(new Error("the request was not answered"));
      return;
    }
    if (this.#parts !== undefined) this.#parts.end();
    else {
      const reply = this.#whole(this.#head);
      this.#settle();
      this.#resolveWith(reply);
    }
    this.owner?.done(this, true);
  }

  /** The exchange never got a connection, or none that works, or the connection broke. */
  fail(error: Error): void {
    this.#parts?.end(error);
    if (this.#head === undefined && provesNotProcessed(error)) this.#sent = false;
    this.#fail(error);
    this.owner?.done(this, false);
  }

  #startStream(head: HttpReplyHead, flow: FlowControl): void {
    const { maxResponseSize } = this.#settings;
    const Parts = isGrpc(head.headers) ? GrpcFrameDecoder : LineDecoder;
    const parts = new Parts(flow, maxResponseSize, () => this.#release());
    this.#parts = parts;
    this.#cancelTimer();
    // A watch may last for days: it does not hold the timer.
    this.#cancelTimer = nothing;
    this.#settled = true;
    this.#resolve({ ...head, parts });
  }

  #resolveWith(reply: HttpReply): void {
    try {
      this.#resolve(this.#settings.conclude(this, reply));
    } catch (error) {
      this.#reject(error as Error);
    }
  }

  #whole({ status, headers, endpoint }: HttpReplyHead): HttpReply {
    const bytes = this.#body?.take() ?? Buffer.alloc(0);
    if (isGrpc(headers)) return { status, headers, endpoint, body: "", grpcBody: bytes };
    return { status, headers, endpoint, body: bytes.toString() };
  }

  get #origin(): string {
    return `${this.request.operation} at ${this.outgoing.endpoint}`;
  }

  #timeOut(): void {
    const { timeout } = this.outgoing.limits;
    const until = this.#sent ? "no answer" : "no connection";
    this.#giveUp(new TimeoutError(`${this.#origin}: ${until} within ${timeout} ms`, timeout));
  }

  /** Gives the exchange up, or ends the watch that came of it. */
  abort(reason: unknown): void {
    if (this.#parts !== undefined) {
      this.#parts.close(new AbortError(this.request.operation, reason, "none"));
      return;
    }
    if (this.#settled) return;
    this.#settle();
    this.#reject(new AbortError(this.request.operation, reason, this.#abortedOutcome()));
    this.#drop();
  }

  #abortedOutcome(): AbortError["outcome"] {
    if (this.request.safety === "read") return "none";
    return this.#sent ? "unknown" : "not-sent";
  }

  #giveUp(error: Error): void {
    this.#fail(error);
    this.#drop();
  }

  #fail(error: Error): void {
    if (this.#settled) return;
    this.#settle();
    this.#stale = this.reusesConnection && !this.#answering;
    this.#reject(
      new AttemptFailure(this.#sent ? "unknown" : "no", error, this.#endpointAfter(error)),
    );
  }

  #endpointAfter(error: Error): AttemptFailure["endpointIs"] {
    if (error instanceof ResponseTooLargeError) return "well";
    const mayRepeat = !this.#sent || this.request.safety === "read";
    if (this.#stale && mayRepeat && !(error instanceof TimeoutError)) return "ready";
    return !this.#sent && error instanceof UnusableConnectionError ? "ready" : "ill";
  }

  /** The connection may carry half a request or half a reply: it is closed. */
  #drop(): void {
    this.#flow?.abort(new Error("given up"));
    this.owner?.done(this, false);
  }

  #settle(): void {
    this.#settled = true;
    this.#release();
  }

  #release(): void {
    this.#cancelTimer();
    if (this.#onAbort === undefined) return;
    this.outgoing.limits.signal?.removeEventListener("abort", this.#onAbort);
  }
}
