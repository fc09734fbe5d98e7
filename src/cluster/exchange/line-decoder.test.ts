import { expect, test, vi } from "vitest";
import { heldAfter } from "../../../test/support/held-memory.js";
import { LineDecoder } from "./line-decoder.js";

const flow = () => ({ pause: vi.fn(), resume: vi.fn(), abort: vi.fn() });
const read = async (lines: LineDecoder): Promise<string | undefined> =>
  (await lines.next()).value?.toString();

test("lines are complete when chunks split them, also in the middle of a character", async () => {
  const lines = new LineDecoder(flow(), 100, () => {});
  const bytes = Buffer.from("één\ntwee\ndr");
  lines.push(bytes.subarray(0, 1));
  lines.push(bytes.subarray(1));
  lines.push(Buffer.from("ie\n"));
  expect([await read(lines), await read(lines), await read(lines)]).toEqual([
    "één",
    "twee",
    "drie",
  ]);
});

test("a waiting reader gets a line when it arrives", async () => {
  const lines = new LineDecoder(flow(), 100, () => {});
  const line = read(lines);
  lines.push(Buffer.from("x\n"));
  expect(await line).toBe("x");
});

test("lines received before the end are read first, then the end or its cause", async () => {
  const ended = new LineDecoder(flow(), 100, () => {});
  ended.push(Buffer.from("x\n"));
  ended.end();
  expect(await read(ended)).toBe("x");
  expect(await ended.next()).toEqual({ done: true, value: undefined });

  const broken = new LineDecoder(flow(), 100, () => {});
  broken.push(Buffer.from("x\n"));
  broken.end(new Error("cut"));
  expect(await read(broken)).toBe("x");
  await expect(broken.next()).rejects.toThrow("cut");
});

test("a reader that does not read pauses the connection until it has caught up", async () => {
  const connection = flow();
  const lines = new LineDecoder(connection, 1_000_000, () => {});
  lines.push(Buffer.from(`${"x".repeat(999)}\n`.repeat(100)));
  expect(connection.pause).toHaveBeenCalledOnce();
  for (let count = 0; count < 30; count++) await lines.next();
  expect(connection.resume).not.toHaveBeenCalled();
  for (let count = 30; count < 100; count++) await lines.next();
  expect(connection.resume).toHaveBeenCalledOnce();
});

test("if the connection cannot be paused, a reader that does not read ends the stream", async () => {
  const connection = flow();
  const lines = new LineDecoder(connection, 100_000, () => {});
  for (let sent = 0; sent <= 100; sent++) lines.push(Buffer.from(`${"x".repeat(999)}\n`));
  expect(connection.abort).toHaveBeenCalledOnce();
  await expect(lines.next()).rejects.toThrow(/longer than maxResponseSize/);
});

test("a long line does not pause the connection while its reader waits for it", async () => {
  const connection = flow();
  const lines = new LineDecoder(connection, 1_000_000, () => {});
  const line = read(lines);
  for (let sent = 0; sent < 20; sent++) lines.push(Buffer.from("x".repeat(10_000)));
  lines.push(Buffer.from("\n"));
  expect(await line).toHaveLength(200_000);
  expect(connection.pause).not.toHaveBeenCalled();
});

test("a reader that starts to wait for a long line resumes the connection", async () => {
  const connection = flow();
  const lines = new LineDecoder(connection, 1_000_000, () => {});
  lines.push(Buffer.from("x".repeat(100_000)));
  expect(connection.pause).toHaveBeenCalledOnce();
  const line = read(lines);
  expect(connection.resume).toHaveBeenCalledOnce();
  lines.push(Buffer.from("x\n"));
  expect(await line).toHaveLength(100_001);
});

test("buffered data takes little more memory than its bytes, however small the pieces", async () => {
  const piece = Buffer.from("x");
  const unfinished = await heldAfter(() => {
    const lines = new LineDecoder(flow(), 1_000_000, () => {});
    void lines.next();
    for (let sent = 0; sent < 200_000; sent++) lines.push(piece);
    return lines;
  });
  expect(unfinished).toBeLessThan(2_000_000);
  const unread = await heldAfter(() => {
    const lines = new LineDecoder(flow(), 1_000_000, () => {});
    lines.push(Buffer.from("\n".repeat(200_000)));
    return lines;
  });
  expect(unread).toBeLessThan(2_000_000);
});

test("a line beyond the limit ends the stream and the connection", async () => {
  const connection = flow();
  const lines = new LineDecoder(connection, 10, () => {});
  const line = lines.next();
  lines.push(Buffer.from("x".repeat(11)));
  await expect(line).rejects.toThrow(/longer than maxResponseSize/);
  expect(connection.abort).toHaveBeenCalledOnce();
});

test("closing ends a waiting reader and drops unread data", async () => {
  const lines = new LineDecoder(flow(), 100, () => {});
  lines.push(Buffer.from("x\n"));
  lines.close();
  expect(await lines.next()).toEqual({ done: true, value: undefined });
});
