import { ProtocolError } from "../errors/cluster-errors.js";
import { Inbox } from "../stream/inbox.js";
import type { Flow } from "./flow.js";

const NEWLINE = 0x0a;
/** Lines held for a reader that does not read, before the connection is told to wait. */
const HIGH_WATER = 64;

/**
 * The body of a watch as lines of text, for one reader. Memory is bounded by back-pressure and by
 * the limit on the length of a line.
 */
export class LineStream {
  readonly #flow: Flow;
  readonly #maxLength: number;
  readonly #lines = new Inbox<string>();
  #partial: Buffer[] = [];
  #partialLength = 0;

  /** `onEnd` is called once, when nothing more will come. */
  constructor(flow: Flow, maxLength: number, onEnd: () => void) {
    this.#flow = flow;
    this.#maxLength = maxLength;
    this.#lines.onEmpty = () => flow.resume();
    this.#lines.onEnd = onEnd;
  }

  /** Whether nothing more will come, though some lines may still wait for the reader. */
  get ended(): boolean {
    return this.#lines.ended;
  }

  next(): Promise<IteratorResult<string, undefined>> {
    return this.#lines.next();
  }

  /** Ends the stream from the reader's side; with an error, a waiting reader is told. */
  close(failure?: Error): void {
    if (this.ended) return;
    this.#lines.discard(failure);
    this.#flow.abort(failure ?? new Error("the watch was closed"));
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#keep(chunk.subarray(start, end));
      if (this.ended) return;
      this.#lines.put(this.#takeLine());
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
    if (this.#lines.size >= HIGH_WATER) this.#flow.pause();
  }

  /** The connection has ended, or failed. A line that was not completed is dropped. */
  end(failure?: Error): void {
    this.#partial = [];
    this.#lines.end(failure);
  }

  #takeLine(): string {
    const [only = Buffer.alloc(0), ...more] = this.#partial;
    const line = more.length === 0 ? only : Buffer.concat(this.#partial);
    this.#partial = [];
    this.#partialLength = 0;
    return line.toString();
  }

  #keep(piece: Buffer): void {
    this.#partialLength += piece.length;
    if (this.#partialLength > this.#maxLength) {
      this.close(new ProtocolError(`an event is longer than maxResponseSize (${this.#maxLength})`));
      return;
    }
    this.#partial.push(piece);
  }
}
