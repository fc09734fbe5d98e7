import { ProtocolError } from "../../errors/cluster-errors.js";
import { AsyncQueue } from "../../stream/async-queue.js";
import { ByteQueue } from "../../stream/byte-queue.js";
import type { FlowControl } from "./flow-control.js";
import type { Reservation } from "./receive-budget.js";

/** A part of a body, or the unread bytes of it, exceed `maxResponseSize`. */
export class PartTooLongError extends ProtocolError {}

/** Unread bytes at which the connection is paused. */
const HIGH_WATER_BYTES = 64 * 1024;

/**
 * Splits the body of a watch into parts, for one reader. It splits only when the reader requests a
 * part, because each part needs several hundred bytes of memory, even if it is short. Memory is bounded by
 * backpressure where the connection supports it, otherwise by the limit on the length of a part.
 */
export abstract class BodyDecoder {
  readonly #flow: FlowControl;
  readonly #maxLength: number;
  readonly #onEnd: () => void;
  readonly #reservation: Reservation | undefined;
  readonly #buffered = new ByteQueue();
  readonly #parts = new AsyncQueue<Buffer>();
  #received = 0;
  #paused = false;
  #ended = false;
  #failure: Error | undefined;

  /**
   * @param onEnd called once, when the stream has ended
   * @param reservation counts the unread bytes
   */
  constructor(
    flow: FlowControl,
    maxLength: number,
    onEnd: () => void,
    reservation?: Reservation | undefined,
  ) {
    this.#flow = flow;
    this.#maxLength = maxLength;
    this.#onEnd = onEnd;
    this.#reservation = reservation;
  }

  /** Whether the stream has ended. Unread parts may still be available. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Bytes received, including incomplete parts. */
  get received(): number {
    return this.#received;
  }

  next(): Promise<IteratorResult<Buffer, undefined>> {
    const next = this.#parts.next();
    this.#deliver();
    this.#reservation?.set(this.#buffered.length);
    // A waiting reader needs the rest of its part, even if much of it is already buffered.
    if (this.#paused && (this.#isAwaited || this.#buffered.length < HIGH_WATER_BYTES)) {
      this.#paused = false;
      this.#flow.resume();
    }
    return next;
  }

  /** Ends the stream from the reader's side. A waiting reader gets `failure`, if given. */
  close(failure?: Error): void {
    if (this.#ended) return;
    this.#buffered.clear();
    this.end(failure);
    this.#flow.abort(failure ?? new Error("the watch was closed"));
  }

  /** Closes the client's half of the connection. etcd then ends the response of a watch. */
  halfClose(): void {
    if (!this.ended) this.#flow.halfClose?.();
  }

  /** Adds received bytes. */
  push(chunk: Buffer): void {
    if (this.#ended) return;
    this.#received += chunk.length;
    this.#buffered.push(chunk);
    this.#deliver();
    this.#reservation?.set(this.#buffered.length);
    if (this.ended) return;
    if (this.#buffered.length < HIGH_WATER_BYTES || this.#isAwaited) return;
    if (this.#buffered.length > this.#maxLength) {
      this.close(this.#tooLong("the unread part of the response"));
    } else if (!this.#paused) {
      this.#paused = true;
      this.#flow.pause();
    }
  }

  /** The connection has ended or failed. Drops an incomplete part. */
  end(failure?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    this.#onEnd();
    this.#deliver();
  }

  /** Removes the first part. `undefined`: it is incomplete. An error ends the stream. */
  protected abstract takePart(buffered: ByteQueue): Buffer | undefined;

  /** @throws PartTooLong if `length` exceeds the limit */
  protected checkLength(length: number): void {
    if (length > this.#maxLength) throw this.#tooLong("an event of the watch");
  }

  #tooLong(what: string): PartTooLongError {
    return new PartTooLongError(
      `${what} is longer than maxResponseSize (${this.#maxLength} bytes)`,
    );
  }

  get #isAwaited(): boolean {
    return this.#parts.awaited > 0;
  }

  /** Delivers complete parts to waiting readers, then the end. */
  #deliver(): void {
    try {
      while (this.#isAwaited) {
        const part = this.takePart(this.#buffered);
        if (part === undefined) break;
        this.#parts.put(part);
      }
    } catch (error) {
      this.#buffered.clear();
      if (this.#ended) this.#failure ??= error as Error;
      else this.close(error as Error);
    }
    if (this.#ended && this.#isAwaited) this.#parts.end(this.#failure);
  }
}
