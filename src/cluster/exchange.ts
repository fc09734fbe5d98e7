import { AbortError } from "../errors/abort-error.js";
import { ProtocolError, TimeoutError } from "../errors/cluster-errors.js";
import { onAbort } from "../stream/on-abort.js";
import type { Clock } from "../time/clock.js";
import { AttemptFailure } from "../wire/attempt-failure.js";
import { isGrpc } from "../wire/grpc.js";
import type { HttpReply, HttpReplyHead, HttpRequest } from "../wire/http.js";
import type { Flow } from "./flow.js";
import { FrameStream } from "./frame-stream.js";
import { LineStream } from "./line-stream.js";
import type { PartStream } from "./part-stream.js";
import { isRefusal } from "./refusal.js";

const nothing = (): void => {};

type Conclude = (
  reply: HttpReply,
) => HttpReply | StreamedReply | Promise<HttpReply | StreamedReply>;

/** A reply whose body is still coming: a watch. */
export interface StreamedReply extends HttpReplyHead {
  /** Lines; of gRPC, messages. */
  readonly parts: PartStream;
}

/** What bounds one exchange. */
export interface ExchangeLimits {
  /** Milliseconds until the reply, or the head of a watch, must be there. */
  readonly timeout: number;
  /** Bytes of a body, or of one event of a watch. */
  readonly maxResponseSize: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/**
 * One request at one endpoint, from its dispatch to the settled promise. It knows whether any byte
 * of the request was written: until then the endpoint certainly did not process it.
 */
export class Exchange {
  readonly request: HttpRequest;
  /** A whole reply; for a watch that stands, a streamed one. Fails with AttemptFailure or AbortError. */
  readonly reply: Promise<HttpReply | StreamedReply>;
  /** Called once, when the connection is no longer needed; it is reusable if it is in order. */
  onDone: (reusable: boolean) => void = nothing;

  readonly #endpoint: string;
  readonly #limits: ExchangeLimits;
  readonly #streams: boolean;
  readonly #conclude: Conclude;
  #resolve: (reply: ReturnType<Conclude>) => void = nothing;
  #reject: (error: Error) => void = nothing;
  #cancelTimer: () => void;
  #flow: Flow | undefined;
  #sent = false;
  #settled = false;
  #head: HttpReplyHead | undefined;
  #parts: PartStream | undefined;
  #chunks: Buffer[] = [];
  #size = 0;

  /** @param conclude what becomes of a whole reply, such as the reply to where it redirects */
  constructor(
    request: HttpRequest,
    endpoint: string,
    limits: ExchangeLimits,
    streams: boolean,
    conclude: Conclude,
  ) {
    this.request = request;
    this.#conclude = conclude;
    this.#endpoint = endpoint;
    this.#limits = limits;
    this.#streams = streams;
    this.reply = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#cancelTimer = limits.clock.after(limits.timeout, this.#onTimeout);
    if (limits.signal !== undefined) onAbort(limits.signal, this.#onAbort);
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** The request is about to be written. */
  start(flow: Flow): void {
    this.#flow = flow;
    if (this.#settled) flow.abort(new Error("given up before it was sent"));
    else this.#sent = true;
  }

  /** The head of the reply has come, or of one that announces it. */
  takeHead(flow: Flow, status: number, headers: HttpReplyHead["headers"]): void {
    if (status < 200) return;
    this.#head = { status, headers, endpoint: this.#endpoint };
    // gRPC tells its status first only when nothing else comes.
    const goesOn = status === 200 && headers["grpc-status"] === undefined;
    if (this.#streams && goesOn) this.#startStream(this.#head, flow);
  }

  /** What is only told behind the body has come. */
  takeTrailers(trailers: HttpReplyHead["headers"]): void {
    if (this.#head !== undefined) Object.assign(this.#head.headers, trailers);
  }

  /** A piece of the body has come. */
  take(chunk: Buffer): void {
    if (this.#parts !== undefined) {
      this.#parts.push(chunk);
      return;
    }
    this.#size += chunk.length;
    this.#chunks.push(chunk);
    const { maxResponseSize } = this.#limits;
    if (this.#size > maxResponseSize) {
      this.#giveUp(new ProtocolError(`${this.#origin}: over maxResponseSize (${maxResponseSize})`));
    }
  }

  /** The reply is complete. */
  end(): void {
    if (this.#parts !== undefined) this.#parts.end();
    else if (this.#head !== undefined) {
      const reply = this.#whole(this.#head);
      this.#settle();
      this.#resolveWith(reply);
    }
    this.#done(true);
  }

  /** The exchange never got a connection, or none that works, or the connection broke. */
  fail(error: Error): void {
    this.#parts?.end(error);
    if (this.#head === undefined && isRefusal(error)) this.#sent = false;
    this.#fail(error);
    this.#done(false);
  }

  #startStream(head: HttpReplyHead, flow: Flow): void {
    const { maxResponseSize } = this.#limits;
    const Parts = isGrpc(head) ? FrameStream : LineStream;
    const parts = new Parts(flow, maxResponseSize, () => this.#release());
    this.#parts = parts;
    this.#cancelTimer();
    this.#settled = true;
    this.#resolve({ ...head, parts });
  }

  #resolveWith(reply: HttpReply): void {
    try {
      this.#resolve(this.#conclude(reply));
    } catch (error) {
      this.#reject(error as Error);
    }
  }

  #whole(head: HttpReplyHead): HttpReply {
    const { status, headers, endpoint } = head;
    const [first = Buffer.alloc(0)] = this.#chunks;
    const bytes = this.#chunks.length > 1 ? Buffer.concat(this.#chunks) : first;
    if (isGrpc(head)) return { status, headers, endpoint, body: "", grpcBody: bytes };
    return { status, headers, endpoint, body: bytes.toString() };
  }

  get #origin(): string {
    return `${this.request.operation} at ${this.#endpoint}`;
  }

  readonly #onTimeout = (): void => {
    const { timeout } = this.#limits;
    const until = this.#sent ? "no answer" : "no connection";
    this.#giveUp(new TimeoutError(`${this.#origin}: ${until} within ${timeout} ms`, timeout));
  };

  readonly #onAbort = (): void => this.abort(this.#limits.signal?.reason);

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
    return this.#sent ? "unknown" : "not sent";
  }

  #giveUp(error: Error): void {
    this.#fail(error);
    this.#drop();
  }

  #fail(error: Error): void {
    if (this.#settled) return;
    this.#settle();
    this.#reject(new AttemptFailure(this.#sent ? "unknown" : "no", error));
  }

  /** The connection may carry half a request or half a reply: it is closed. */
  #drop(): void {
    this.#flow?.abort(new Error("given up"));
    this.#done(false);
  }

  #done(reusable: boolean): void {
    const done = this.onDone;
    this.onDone = nothing;
    done(reusable);
  }

  #settle(): void {
    this.#settled = true;
    this.#release();
  }

  #release(): void {
    this.#cancelTimer();
    this.#limits.signal?.removeEventListener("abort", this.#onAbort);
  }
}
