import type { ByteQueue } from "../../stream/byte-queue.js";
import { FRAME_HEAD, messageLength } from "../../wire/grpc.js";
import { BodyDecoder } from "./body-decoder.js";

/** A body in gRPC's frames: each part is the message in one. */
export class GrpcFrameDecoder extends BodyDecoder {
  protected override takePart(held: ByteQueue): Buffer | undefined {
    if (held.length < FRAME_HEAD) return undefined;
    const length = messageLength(held.peek(FRAME_HEAD));
    this.checkLength(length);
    if (held.length < FRAME_HEAD + length) return undefined;
    held.take(FRAME_HEAD);
    return held.take(length);
  }
}
