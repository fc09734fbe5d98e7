import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { socketTimeout, systemClock } from "./clock.js";

const server = createServer();
let near: Socket;
let far: Socket;

beforeAll(async () => {
  await once(server.listen(0, "127.0.0.1"), "listening");
  const accepted = once(server, "connection");
  near = connect((server.address() as AddressInfo).port, "127.0.0.1");
  [far] = await accepted;
});
afterAll(() => {
  near.destroy();
  server.close();
});

function block(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

/** Milliseconds. */
const TIMEOUT = 200;

/** Reads until the deadline. @returns the data that arrived */
const readUntilDeadline = (begin: () => void): Promise<readonly string[]> =>
  new Promise((resolve) => {
    const read: string[] = [];
    near.removeAllListeners("data").on("data", (bytes) => read.push(bytes.toString()));
    socketTimeout(systemClock, TIMEOUT, () => resolve(read));
    begin();
  });

test("data that arrived while the event loop was blocked is in time", async () => {
  const begin = (): void => {
    far.write("answer");
    block(TIMEOUT + 1);
  };
  expect(await readUntilDeadline(begin)).toEqual(["answer"]);
});

test("after a blocked event loop there is time for another round trip", async () => {
  far.once("data", (bytes) => far.write(`answer to ${bytes}`));
  const begin = (): void => {
    far.write("go on");
    near.once("data", () => near.write("question"));
    block(TIMEOUT + 50);
  };
  expect(await readUntilDeadline(begin)).toEqual(["go on", "answer to question"]);
});

test("a deadline can be cancelled until it calls back", async () => {
  let calls = 0;
  const cancel = socketTimeout(systemClock, 1, () => calls++);
  // This timer fires right after the one of the deadline, before sockets are read.
  setTimeout(cancel, 1);
  block(5);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(calls).toBe(0);
});

test("a clock without deadlines of its own uses its timers", () => {
  const { socketTimeout: _, ...clock } = systemClock;
  const after: number[] = [];
  const noted = { ...clock, after: (milliseconds: number) => () => after.push(milliseconds) };
  socketTimeout(noted, 7, () => {})();
  expect(after).toEqual([7]);
});
