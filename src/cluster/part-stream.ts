import { ProtocolError } from "../errors/cluster-errors.js";
import { Inbox } from "../stream/inbox.js";
import type { Flow } from "./flow.js";

/** Parts held for a reader that does not read, before the connection is told to wait. */
const HIGH_WATER = 64;

/**
 * The body of a watch in its parts, for one reader. Memory is bounded by back-pressure and by the
 * limit on the length of a part.
 */
export abstract class PartStream {
  readonly #flow: Flow;
  readonly #maxLength: number;
  readonly #parts = new Inbox<Buffer>();
  #pieces: Buffer[] = [];
  #length = 0;

  /** `onEnd` is called once, when nothing more will come. */
  constructor(flow: Flow, maxLength: number, onEnd: () => void) {
    this.#flow = flow;
    this.#maxLength = maxLength;
    this.#parts.onEmpty = () => flow.resume();
    this.#parts.onEnd = onEnd;
  }

  /** Whether nothing more will come, though some parts may still wait for the reader. */
  get ended(): boolean {
    return this.#parts.ended;
  }

  next(): Promise<IteratorResult<Buffer, undefined>> {
    return this.#parts.next();
  }

  /** Ends the stream from the reader's side; with an error, a waiting reader is told. */
  close(failure?: Error): void {
    if (this.ended) return;
    this.#parts.discard(failure);
    this.#flow.abort(failure ?? new Error("the watch was closed"));
  }

  /** Takes what has come. */
  push(chunk: Buffer): void {
    try {
      this.split(chunk);
    } catch (error) {
      this.close(error as Error);
    }
    if (this.#parts.size >= HIGH_WATER) this.#flow.pause();
  }

  /** The connection has ended, or failed. A part that was not completed is dropped. */
  end(failure?: Error): void {
    this.#pieces = [];
    this.#parts.end(failure);
  }

  /** Divides what has come, by the methods below. What it throws ends the stream. */
  protected abstract split(chunk: Buffer): void;

  /** Adds to what is kept for the next part. */
  protected keep(piece: Buffer): void {
    this.#length += piece.length;
    this.#pieces.push(piece);
    this.checkLength(this.#length);
  }

  /** @throws ProtocolError if a part is going to be too long */
  protected checkLength(length: number): void {
    if (length <= this.#maxLength) return;
    throw new ProtocolError(`an event is longer than maxResponseSize (${this.#maxLength})`);
  }

  /** What was kept, as one. */
  protected take(): Buffer {
    const [only = Buffer.alloc(0), ...more] = this.#pieces;
    const whole = more.length === 0 ? only : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#length = 0;
    return whole;
  }

  /** Hands a part to the reader. */
  protected put(part: Buffer): void {
    this.#parts.put(part);
  }
}
