import { expect, it } from "vitest";
import { historyOf, type Step } from "./history-of.js";
import { checkTtl } from "./ttl.js";

const check = (...steps: Step[]): readonly string[] =>
  checkTtl(historyOf(steps)).map(({ message }) => message);

/** The key has a TTL of 10 s and `createdIndex` 7. */
const create: Step = { kind: "create", input: { ttl: 10 }, output: 7, at: [0, 1] };
const refresh = (from: number): Step => ({ ...create, kind: "refresh", at: [from, from + 1] });
const read = (from: number, output: number | null): Step => ({
  kind: "read",
  output,
  at: [from, from + 1],
});
const list = (from: number, ...output: string[]): Step => ({
  kind: "list",
  output,
  at: [from, from + 1],
});

it("lets a key live while it is refreshed, and end after its TTL", () => {
  expect(check(create, refresh(5), read(14, 7), read(15, null), list(20))).toEqual([]);
});

it("does not let a key end before its TTL", () => {
  expect(check(create, read(5, null))).toEqual(["/key is gone 4000 ms before the end of its TTL"]);
  expect(check(create, refresh(5), read(13, null))).toEqual([
    "/key is gone 1000 ms before the end of its TTL",
  ]);
});

it("concludes nothing from a refresh that failed, or whose outcome is unknown", () => {
  expect(check(create, { ...refresh(5), outcome: "failed" }, read(12, null))).toEqual([]);
  expect(check(create, { ...refresh(5), outcome: "unknown" }, read(6, null))).toEqual([]);
});

it("does not let a key come back", () => {
  const again = "/key exists again";
  expect(check(create, read(15, null), read(17, 7))).toEqual([again]);
  expect(check(create, { ...refresh(15), output: null }, refresh(18))).toEqual([again]);
  expect(check(create, { ...refresh(5), output: 8 })).toEqual(["/key was created again"]);
});

it("lets a key live longer that something has extended", () => {
  const extend: Step = { kind: "extend", input: { seconds: 30 }, output: null, at: [2, 3] };
  expect(check(create, extend, list(40, "/key"), list(80, "/key"))).toEqual([]);
  expect(check(create, extend, list(40, "/key"), list(90, "/key"))).toHaveLength(1);
});

it("does not let a key stay long after its TTL, which a new leader may start again", () => {
  expect(check(create, list(20, "/key"), list(30, "/key"))).toEqual([]);
  expect(check(create, list(20, "/key"), list(37, "/key"))).toEqual([
    "/key still exists 6000 ms after its TTL",
  ]);
});
