import { FRAME_HEAD, messageLength } from "../wire/grpc.js";
import { PartStream } from "./part-stream.js";

/** A body in gRPC's frames: each part is the message in one. */
export class FrameStream extends PartStream {
  #inHead = true;
  /** Bytes that the head of a frame, or its message, still lacks. */
  #missing = FRAME_HEAD;

  protected override split(chunk: Buffer): void {
    for (let rest = chunk; rest.length > 0; ) {
      const piece = rest.subarray(0, this.#missing);
      rest = rest.subarray(piece.length);
      this.#missing -= piece.length;
      this.keep(piece);
      if (this.#missing === 0 && this.#inHead) this.#endHead();
      // A message may be empty: then it ends with its head.
      if (this.#missing === 0 && !this.#inHead) this.#endMessage();
    }
  }

  #endHead(): void {
    this.#missing = messageLength(this.take());
    this.#inHead = false;
    this.checkLength(this.#missing);
  }

  #endMessage(): void {
    this.put(this.take());
    this.#missing = FRAME_HEAD;
    this.#inHead = true;
  }
}
