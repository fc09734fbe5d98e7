import type { ByteQueue } from "../../stream/byte-queue.js";
import { FRAME_HEAD_BYTES, messageLength } from "../../wire/grpc.js";
import { BodyDecoder } from "./body-decoder.js";

/** Splits a body into gRPC frames. Each part is the message of one frame. */
export class GrpcFrameDecoder extends BodyDecoder {
  protected override takePart(buffered: ByteQueue): Buffer | undefined {
    if (buffered.length < FRAME_HEAD_BYTES) return undefined;
    const length = messageLength(buffered.peek(FRAME_HEAD_BYTES));
    this.checkLength(length);
    if (buffered.length < FRAME_HEAD_BYTES + length) return undefined;
    buffered.take(FRAME_HEAD_BYTES);
    return buffered.take(length);
  }
}
