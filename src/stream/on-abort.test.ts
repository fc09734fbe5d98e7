import { getEventListeners } from "node:events";
import { expect, it } from "vitest";
import { offAbort, onAbort } from "./on-abort.js";

it("calls the listeners in order when the signal aborts, except removed ones", () => {
  const abort = new AbortController();
  const called: string[] = [];
  const [a, b, c] = ["a", "b", "c"].map((name) => () => void called.push(name));
  if (a === undefined || b === undefined || c === undefined) expect.fail();
  const removeC = (): void => offAbort(abort.signal, c);
  for (const listener of [a, b, removeC, c]) onAbort(abort.signal, listener);
  offAbort(abort.signal, b);
  abort.abort();
  expect(called).toEqual(["a"]);
});

it("adds one listener to a signal for all callers, and removes it with the last of them", () => {
  const { signal } = new AbortController();
  const listeners = Array.from({ length: 10_000 }, () => () => {});
  for (const listener of listeners) onAbort(signal, listener);
  expect(getEventListeners(signal, "abort")).toHaveLength(1);
  for (const listener of listeners) offAbort(signal, listener);
  offAbort(signal, () => {});
  expect(getEventListeners(signal, "abort")).toEqual([]);
});
