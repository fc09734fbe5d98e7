import type { ByteQueue } from "../../stream/byte-queue.js";
import { BodyDecoder } from "./body-decoder.js";

const NEWLINE = 0x0a;

/** Splits a body into lines. */
export class LineDecoder extends BodyDecoder {
  /** Leading bytes that were searched already and contain no newline. */
  #searched = 0;

  protected override takePart(buffered: ByteQueue): Buffer | undefined {
    const end = buffered.indexOf(NEWLINE, this.#searched);
    this.#searched = end === -1 ? buffered.length : 0;
    this.checkLength(end === -1 ? buffered.length : end);
    if (end === -1) return undefined;
    const line = buffered.take(end);
    buffered.take(1);
    return line;
  }
}
