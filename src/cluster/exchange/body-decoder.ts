import { ProtocolError } from "../../errors/cluster-errors.js";
import { ByteQueue } from "../../stream/byte-queue.js";
import { AsyncQueue } from "../../stream/inbox.js";
import type { FlowControl } from "./flow-control.js";

/** A part of a body, or what waits to be read of it, is longer than `maxResponseSize`. */
export class PartTooLong extends ProtocolError {}

/** Bytes held for a reader that does not read, before the connection is told to wait. */
const HIGH_WATER = 64 * 1024;

/**
 * The body of a watch in its parts, for one reader. Bytes are held as they came and divided only when
 * the reader asks: a part costs several hundred bytes, however short it is. So memory is bounded by
 * back-pressure where the connection offers it, and otherwise by the limit on the length of a part.
 */
export abstract class BodyDecoder {
  readonly #flow: FlowControl;
  readonly #maxLength: number;
  readonly #onEnd: () => void;
  readonly #held = new ByteQueue();
  readonly #parts = new AsyncQueue<Buffer>();
  #received = 0;
  #paused = false;
  #ended = false;
  #failure: Error | undefined;

  /** `onEnd` is called once, when nothing more will come. */
  constructor(flow: FlowControl, maxLength: number, onEnd: () => void) {
    this.#flow = flow;
    this.#maxLength = maxLength;
    this.#onEnd = onEnd;
  }

  /** Whether nothing more will come, though some parts may still wait for the reader. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Bytes that have come, parts that are not complete included. */
  get received(): number {
    return this.#received;
  }

  next(): Promise<IteratorResult<Buffer, undefined>> {
    const next = this.#parts.next();
    this.#deliver();
    if (this.#paused && this.#held.length < HIGH_WATER) {
      this.#paused = false;
      this.#flow.resume();
    }
    return next;
  }

  /** Ends the stream from the reader's side; with an error, a waiting reader is told. */
  close(failure?: Error): void {
    if (this.#ended) return;
    this.#held.clear();
    this.end(failure);
    this.#flow.abort(failure ?? new Error("the watch was closed"));
  }

  /** Tells the server that nothing more will be asked: etcd then ends the response of a watch. */
  halfClose(): void {
    if (!this.ended) this.#flow.halfClose?.();
  }

  /** Takes what has come. */
  push(chunk: Buffer): void {
    if (this.#ended) return;
    this.#received += chunk.length;
    this.#held.push(chunk);
    this.#deliver();
    if (this.#held.length < HIGH_WATER || this.#isAwaited) return;
    if (this.#held.length > this.#maxLength) {
      this.close(this.#tooLong("what waits to be read"));
    } else if (!this.#paused) {
      this.#paused = true;
      this.#flow.pause();
    }
  }

  /** The connection has ended, or failed. A part that was not completed is dropped. */
  end(failure?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    this.#onEnd();
    this.#deliver();
  }

  /** Takes the first part, if it is complete. What it throws ends the stream. */
  protected abstract takePart(held: ByteQueue): Buffer | undefined;

  /** @throws PartTooLong if a part is going to be too long */
  protected checkLength(length: number): void {
    if (length > this.#maxLength) throw this.#tooLong("an event");
  }

  #tooLong(what: string): PartTooLong {
    return new PartTooLong(`${what} is longer than maxResponseSize (${this.#maxLength})`);
  }

  get #isAwaited(): boolean {
    return this.#parts.awaited > 0;
  }

  /** Gives waiting readers what is complete, then the end. */
  #deliver(): void {
    try {
      while (this.#isAwaited) {
        const part = this.takePart(this.#held);
        if (part === undefined) break;
        this.#parts.put(part);
      }
    } catch (error) {
      this.#held.clear();
      if (this.#ended) this.#failure ??= error as Error;
      else this.close(error as Error);
    }
    if (this.#ended && this.#isAwaited) this.#parts.end(this.#failure);
  }
}
