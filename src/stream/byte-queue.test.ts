import fc from "fast-check";
import { expect, test } from "vitest";
import { SEED } from "../../test/support/seed.js";
import { ByteQueue } from "./byte-queue.js";

const NEWLINE = 0x0a;

test("bytes come out in the order in which they went in, in any pieces", () => {
  const step = fc.oneof(
    fc.record({ push: fc.uint8Array({ maxLength: 40 }) }),
    fc.record({ take: fc.nat({ max: 60 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new ByteQueue();
      let expected = Buffer.alloc(0);
      const taken: [Buffer, string][] = [];
      for (const next of steps) {
        if ("push" in next) {
          queue.push(Buffer.from(next.push));
          expected = Buffer.concat([expected, next.push]);
        } else {
          const part = queue.take(next.take);
          taken.push([part, expected.subarray(0, next.take).toString("hex")]);
          expected = expected.subarray(next.take);
        }
        expect(queue.length).toBe(expected.length);
        expect(queue.peek(5).equals(expected.subarray(0, 5))).toBe(true);
        expect(queue.indexOf(NEWLINE, 1)).toBe(expected.indexOf(NEWLINE, 1));
      }
      // Later pieces do not change bytes that were taken.
      for (const [part, hex] of taken) expect(part.toString("hex")).toBe(hex);
    }),
    { seed: SEED },
  );
});

test("pushed pieces are never modified", () => {
  const memory = Buffer.from("abcdef");
  const queue = new ByteQueue();
  queue.push(memory.subarray(0, 2));
  queue.push(Buffer.from("XY"));
  expect(memory.toString()).toBe("abcdef");
  expect(queue.take().toString()).toBe("abXY");
});
