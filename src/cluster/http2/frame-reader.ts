import { ByteQueue } from "../../stream/byte-queue.js";
import { CODE, FRAME_HEAD_BYTES, type Frame, Http2Error, MAX_PAYLOAD_BYTES } from "./frame.js";

/** Splits the bytes of a connection into frames. */
export class FrameReader {
  readonly #received = new ByteQueue();

  push(chunk: Buffer): void {
    this.#received.push(chunk);
  }

  /** The next frame, if all of it was received. @throws Http2Error */
  next(): Frame | undefined {
    if (this.#received.length < FRAME_HEAD_BYTES) return undefined;
    const head = this.#received.peek(FRAME_HEAD_BYTES);
    const length = head.readUIntBE(0, 3);
    if (length > MAX_PAYLOAD_BYTES)
      throw new Http2Error(CODE.frameSizeError, "a frame is too long");
    if (this.#received.length < FRAME_HEAD_BYTES + length) return undefined;
    this.#received.take(FRAME_HEAD_BYTES);
    const [type, flags] = [head.readUInt8(3), head.readUInt8(4)];
    const stream = head.readUInt32BE(5) & 0x7fffffff;
    return { type, flags, stream, payload: this.#received.take(length) };
  }
}
