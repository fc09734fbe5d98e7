import { setImmediate } from "node:timers/promises";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { requestOf } from "../../../test/support/auth-server.js";
import { SimulatedClock } from "../../../test/support/simulated-clock.js";
import { AuthStore, type StoredUser } from "../../auth/auth-store.js";
import { hashPassword } from "../../auth/password.js";
import { ClusterUnavailableError } from "../../errors/cluster-errors.js";
import { MemoryKeySpace } from "../../key-space/memory/memory-key-space.js";
import { AuthGuard } from "./auth-guard.js";
import { PasswordCheck } from "./password-check.js";
import { REVIEW_INTERVAL_MS, WatchReview } from "./watch-review.js";

const HASH = await hashPassword("d");
const OTHER = await hashPassword("other");
const DEV = { read: ["/dev/*"], write: [] };

let clock: SimulatedClock;
let keySpace: MemoryKeySpace;
let store: AuthStore;
let guard: AuthGuard;
beforeEach(async () => {
  clock = new SimulatedClock();
  keySpace = new MemoryKeySpace();
  store = new AuthStore(keySpace);
  guard = new AuthGuard(store, new PasswordCheck(), new WatchReview(store, clock));
  await store.createRole({ role: "dev", permissions: { kv: DEV } });
  await store.createUser({ user: "dev", passwordHash: HASH, roles: ["dev"] });
  await store.setEnabled(true);
});

interface Watch {
  readonly close: ReturnType<typeof vi.fn<() => void>>;
  /** Called when the watch ends. */
  readonly end: () => void;
}

async function open(shown: object = { as: "dev:d" }): Promise<Watch> {
  const request = requestOf({ method: "GET", target: "/keys/dev/a", ...shown });
  const permit = await guard.permit(request, "GET", "/dev/a", { key: "/dev/a" });
  const close = vi.fn<() => void>();
  return { close, end: permit?.guard({ close }) ?? expect.fail("no permit") };
}

const changed = (change: Partial<StoredUser>) =>
  store.updateUser("dev", (old) => ({ ...old, ...change }));

describe("a watch is closed at once when", () => {
  const changes: readonly [string, () => Promise<unknown>, object?][] = [
    ["its user is removed", () => store.removeUser("dev")],
    ["its user loses the role", () => changed({ roles: [] })],
    ["its role is removed", () => store.removeRole("dev")],
    [
      "its role loses the right",
      () =>
        store.updateRole("dev", (old) => ({
          ...old,
          permissions: { kv: { read: [], write: [] } },
        })),
    ],
    ["its user gets another password", () => changed({ passwordHash: OTHER })],
    [
      "the user of its certificate is removed",
      () => store.removeUser("dev"),
      { certificateName: "dev" },
    ],
  ];
  it.each(changes)("%s", async (_what, change, shown) => {
    const watch = await open(shown);
    await setImmediate();
    await change();
    await vi.waitUntil(() => watch.close.mock.calls.length > 0, { timeout: 60_000 });
  });

  it("auth is enabled, and it was opened without credentials", async () => {
    await store.setEnabled(false);
    const [nobody, dev] = [await open({}), await open()];
    await setImmediate();
    await store.setEnabled(true);
    await vi.waitUntil(() => nobody.close.mock.calls.length > 0, { timeout: 60_000 });
    expect(dev.close).not.toHaveBeenCalled();
  });
});

it("other changes leave it open", async () => {
  const watch = await open();
  const byCertificate = await open({ certificateName: "dev" });
  await setImmediate();
  await store.createUser({ user: "other", passwordHash: HASH, roles: [] });
  await changed({ roles: ["dev", "another"] });
  await store.setEnabled(true);
  await clock.pass(3 * REVIEW_INTERVAL_MS);
  expect(watch.close).not.toHaveBeenCalled();
  await store.updateUser("dev", (old) => ({ ...old, passwordHash: OTHER }));
  await vi.waitUntil(() => watch.close.mock.calls.length > 0, { timeout: 60_000 });
  expect(byCertificate.close).not.toHaveBeenCalled();
});

describe("while the watch of the store is silent or cannot be opened", () => {
  it.each([
    [
      "silent",
      async () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }),
    ],
    ["refused", () => Promise.reject(new ClusterUnavailableError("GET /?wait=true", []))],
  ])("%s: a watch is closed within the interval", async (_how, openWatch) => {
    keySpace.openWatch = openWatch as never;
    const watch = await open();
    await store.removeUser("dev");
    await clock.pass(REVIEW_INTERVAL_MS - 1);
    expect(watch.close).not.toHaveBeenCalled();
    await clock.pass(1);
    await vi.waitUntil(() => watch.close.mock.calls.length > 0, { timeout: 60_000 });
  });
});

it("a watch is closed when users cannot be read while auth is on, and stays while it is off", async () => {
  const execute = keySpace.execute.bind(keySpace);
  for (const enabled of [true, false]) {
    keySpace.execute = execute as never;
    await store.setEnabled(enabled);
    const watch = await open();
    keySpace.execute = () => Promise.reject(new ClusterUnavailableError("GET /", []));
    await clock.pass(REVIEW_INTERVAL_MS);
    await setImmediate();
    expect(watch.close).toHaveBeenCalledTimes(enabled ? 1 : 0);
    watch.end();
  }
});

it("no timer is left after the last watch", async () => {
  const [one, two] = [await open(), await open()];
  expect(clock.pending).toBe(1);
  one.end();
  expect(clock.pending).toBe(1);
  two.end();
  two.end();
  expect(clock.pending).toBe(0);
});
