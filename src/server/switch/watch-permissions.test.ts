import { beforeEach, expect, it } from "vitest";
import { SimulatedClock } from "../../../test/support/simulated-clock.js";
import type { WatchRequest } from "../../model/key-request.js";
import type { ServedKeys } from "../routes/keys-route.js";
import { WatchPermissions } from "./watch-permissions.js";

/** Questions that v2 gets at a time. */
const PLACES = 4;

/** The questions that v2 has got, and how each ends. */
let asked: { request: WatchRequest; signal: AbortSignal | undefined; settle: () => void }[];
let permissions: WatchPermissions;

const passed = {
  openWatch: (request, options) =>
    new Promise((resolve) => {
      const settle = () => resolve({ close: () => {}, etcdIndex: asked.length } as never);
      asked.push({ request, signal: options?.signal, settle });
    }),
} as ServedKeys;

const ask = (credentials: string, request: WatchRequest, signal?: AbortSignal) =>
  permissions.origin({ passed, credentials }, request, signal);
const settled = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  asked = [];
  permissions = new WatchPermissions(new SimulatedClock());
});

it("asks once for equal watches of one user", async () => {
  const polls = Array.from({ length: 300 }, () => ask("user", { key: "/a" }));
  const others = [ask("other", { key: "/a" }), ask("user", { key: "/a", recursive: true })];
  await settled();
  expect(asked).toHaveLength(3);
  for (const { settle } of asked) settle();
  await Promise.all([...polls, ...others]);
});

it("does not answer with a question that was sent before", async () => {
  const first = ask("user", { key: "/a" });
  await settled();
  const second = ask("user", { key: "/a" });
  await settled();
  asked[0]?.settle();
  await first;
  asked[1]?.settle();
  expect((await second).etcdIndex).toBe(2);
});

it("asks few at a time", async () => {
  const watches = Array.from({ length: 10 }, (_, at) => ask("user", { key: `/${at}` }));
  for (let count = PLACES; count <= 10; count++) {
    await settled();
    expect(asked).toHaveLength(count);
    asked[count - PLACES]?.settle();
  }
  for (const { settle } of asked) settle();
  await Promise.all(watches);
});

it("does not ask for clients that have left", async () => {
  const places = Array.from({ length: PLACES }, (_, at) => ask("user", { key: `/${at}` }));
  await settled();
  const leaving = new AbortController();
  const [left, stays] = [
    ask("user", { key: "/a" }, leaving.signal),
    ask("user", { key: "/b" }, leaving.signal),
  ].map((each) => each.catch((error: Error) => error.name));
  const other = ask("user", { key: "/b" });
  leaving.abort();
  expect(await Promise.all([left, stays])).toEqual(["AbortError", "AbortError"]);
  for (const { settle } of asked) settle();
  await Promise.all(places);
  await settled();
  expect(asked.slice(PLACES).map(({ request }) => request.key)).toEqual(["/b"]);
  asked[PLACES]?.settle();
  await other;
});

it("ends a question for which nobody waits any more", async () => {
  const leaving = new AbortController();
  const left = ask("user", { key: "/a" }, leaving.signal);
  await settled();
  leaving.abort();
  await expect(left).rejects.toThrow("aborted");
  expect(asked[0]?.signal?.aborted).toBe(true);
});
