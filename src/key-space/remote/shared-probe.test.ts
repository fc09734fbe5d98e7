import { expect, test } from "vitest";
import { UnauthorizedError } from "../../errors/common-errors.js";
import { errorDefinition } from "../../errors/error-table.js";
import { serverErrorOf } from "../../errors/server-error-of.js";
import { systemClock } from "../../time/clock.js";
import { SharedProbe } from "./shared-probe.js";

const never = (signal: AbortSignal): Promise<number> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

test("all that ask before a read begins share it; who asks later gets another", async () => {
  const probe = new SharedProbe({ ...systemClock, monotonic: () => 0, after: run });
  let reads = 0;
  const read = async (): Promise<number> => ++reads;
  expect(await Promise.all([probe.ask(read, undefined), probe.ask(read, undefined)])).toEqual([
    1, 1,
  ]);
  expect(await probe.ask(read, undefined)).toBe(2);
});

test("who is refused is refused alone", async () => {
  const probe = new SharedProbe(systemClock);
  const refusal = serverErrorOf({
    ...{ ...errorDefinition(110), errorCode: 110, detail: "", key: "/a", endpoint: "" },
    ...{ index: 0, operation: "GET /a" },
  });
  const refused = probe.ask(() => Promise.reject(refusal), undefined);
  const allowed = probe.ask(() => Promise.resolve(7), undefined);
  await expect(refused).rejects.toBeInstanceOf(UnauthorizedError);
  expect(await allowed).toBe(7);
});

test("a read goes on while anybody waits, and is given up with the last", async () => {
  const probe = new SharedProbe(systemClock);
  const [first, second] = [new AbortController(), new AbortController()];
  let abandoned = false;
  const read = (signal: AbortSignal): Promise<number> => {
    signal.addEventListener("abort", () => {
      abandoned = true;
    });
    return never(signal);
  };
  const asked = [probe.ask(read, first.signal), probe.ask(read, second.signal)];
  await Promise.resolve();
  first.abort(new Error("first"));
  await expect(asked[0]).rejects.toThrow("first");
  expect(abandoned).toBe(false);
  second.abort(new Error("second"));
  await expect(asked[1]).rejects.toThrow("second");
  expect(abandoned).toBe(true);
});

function run(_milliseconds: number, callback: () => void): () => void {
  queueMicrotask(callback);
  return () => {};
}
