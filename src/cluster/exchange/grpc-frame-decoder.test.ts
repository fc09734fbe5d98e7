import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { framed } from "../../wire/grpc.js";
import { GrpcFrameDecoder } from "./grpc-frame-decoder.js";

const flow = () => ({ pause: vi.fn(), resume: vi.fn(), abort: vi.fn() });

test("messages are complete wherever their frames were split", async () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 20 }), { minLength: 1, maxLength: 8 });
  const sizes = fc.infiniteStream(fc.integer({ min: 1, max: 30 }));
  await fc.assert(
    fc.asyncProperty(messages, sizes, async (sent, pieces) => {
      const stream = new GrpcFrameDecoder(flow(), 100, () => {});
      let bytes = Buffer.concat(sent.map((message) => framed(Buffer.from(message))));
      for (const size of pieces) {
        if (bytes.length === 0) break;
        stream.push(bytes.subarray(0, size));
        bytes = bytes.subarray(size);
      }
      stream.end();
      const received: Uint8Array[] = [];
      for (let part = await stream.next(); !part.done; part = await stream.next()) {
        received.push(Uint8Array.from(part.value));
      }
      expect(received).toEqual(sent);
    }),
  );
});

test("a frame with a length beyond the limit ends the stream before it arrives", async () => {
  const connection = flow();
  const stream = new GrpcFrameDecoder(connection, 100, () => {});
  const part = stream.next();
  stream.push(framed(Buffer.alloc(101)).subarray(0, 6));
  await expect(part).rejects.toThrow(/longer than maxResponseSize/);
  expect(connection.abort).toHaveBeenCalledOnce();
});

test("a compressed frame ends the stream", async () => {
  const connection = flow();
  const stream = new GrpcFrameDecoder(connection, 100, () => {});
  const part = stream.next();
  stream.push(Buffer.from("0100000000", "hex"));
  await expect(part).rejects.toThrow(/compressed/);
  expect(connection.abort).toHaveBeenCalledOnce();
});
