import type { ByteQueue } from "../../stream/byte-queue.js";
import { BodyDecoder } from "./body-decoder.js";

const NEWLINE = 0x0a;

/** A body in lines. */
export class LineDecoder extends BodyDecoder {
  /** Bytes that are known to hold no newline. */
  #searched = 0;

  protected override takePart(held: ByteQueue): Buffer | undefined {
    const end = held.indexOf(NEWLINE, this.#searched);
    this.#searched = end === -1 ? held.length : 0;
    this.checkLength(end === -1 ? held.length : end);
    if (end === -1) return undefined;
    const line = held.take(end);
    held.take(1);
    return line;
  }
}
