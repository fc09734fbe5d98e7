import { ProtocolError } from "../errors/cluster-errors.js";

/** What a stream needs of its connection. */
interface Flow {
  pause(): void;
  resume(): void;
  abort(reason: Error): void;
}

const NEWLINE = 0x0a;
/** Lines held for a reader that does not read, before the connection is told to wait. */
const HIGH_WATER = 64;

interface Waiting {
  resolve(result: IteratorResult<string, undefined>): void;
  reject(failure: Error): void;
}

/**
 * The body of a watch as lines of text, for one reader. Memory is bounded by back-pressure and by
 * the limit on the length of a line.
 */
export class LineStream implements AsyncIterator<string, undefined> {
  readonly #flow: Flow;
  readonly #maxLength: number;
  readonly #lines: string[] = [];
  #partial: Buffer[] = [];
  #partialLength = 0;
  #waiting: Waiting | undefined;
  #ended = false;
  #failure: Error | undefined;
  /** Called once, when nothing more will come. */
  onEnd: (() => void) | undefined;

  constructor(flow: Flow, maxLength: number) {
    this.#flow = flow;
    this.#maxLength = maxLength;
  }

  /** Whether nothing more will come, though some lines may still wait for the reader. */
  get ended(): boolean {
    return this.#ended;
  }

  next(): Promise<IteratorResult<string, undefined>> {
    const line = this.#lines.shift();
    if (line !== undefined) {
      if (this.#lines.length === 0 && !this.#ended) this.#flow.resume();
      return Promise.resolve({ done: false, value: line });
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  /** Ends the stream from the reader's side; with an error, a waiting reader is told. */
  close(failure?: Error): void {
    if (this.#ended) return;
    this.end(failure);
    this.#lines.length = 0;
    this.#flow.abort(failure ?? new Error("the watch was closed"));
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#deliver(this.#complete(chunk.subarray(start, end)));
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
    if (this.#lines.length >= HIGH_WATER) this.#flow.pause();
  }

  end(failure?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    this.#partial = [];
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (failure === undefined) waiting?.resolve({ done: true, value: undefined });
    else waiting?.reject(failure);
    this.onEnd?.();
  }

  #deliver(line: string): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#lines.push(line);
    else waiting.resolve({ done: false, value: line });
  }

  #complete(tail: Buffer): string {
    if (this.#partial.length === 0) return tail.toString();
    const line = Buffer.concat([...this.#partial, tail]).toString();
    this.#partial = [];
    this.#partialLength = 0;
    return line;
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
