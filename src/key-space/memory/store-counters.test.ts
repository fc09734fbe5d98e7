import { afterEach, beforeEach, expect, it } from "vitest";
import { SimulatedClock } from "../../../test/support/simulated-clock.js";
import type { KeyRequest } from "../../model/key-request.js";
import { MemoryKeySpace } from "./memory-key-space.js";

let clock: SimulatedClock;
let keySpace: MemoryKeySpace;

beforeEach(() => {
  clock = new SimulatedClock();
  keySpace = new MemoryKeySpace({ clock });
});
afterEach(() => keySpace.close());

const attempt = (request: KeyRequest) => keySpace.execute(request).catch(() => undefined);

it("counts successes and failures by action", async () => {
  await attempt({ action: "set", key: "/a", value: "1" });
  await attempt({ action: "set", key: "/a/b", value: "1" });
  await attempt({ action: "create", key: "/b", value: "1" });
  await attempt({ action: "create", key: "/q", value: "1", inOrder: true });
  await attempt({ action: "create", key: "/b", value: "1" });
  await attempt({ action: "update", key: "/b", value: "2" });
  await attempt({ action: "update", key: "/", value: "2" });
  await attempt({ action: "get", key: "/b" });
  await attempt({ action: "get", key: "/zzz" });
  await attempt({ action: "compareAndSwap", key: "/b", value: "3", prevValue: "2" });
  await attempt({ action: "compareAndSwap", key: "/b", value: "3", prevValue: "2" });
  await attempt({ action: "compareAndDelete", key: "/b", prevValue: "2" });
  await attempt({ action: "compareAndDelete", key: "/b", prevValue: "3" });
  await attempt({ action: "delete", key: "/" });
  await attempt({ action: "delete", key: "/a" });
  expect(keySpace.stats).toEqual({
    getsSuccess: 1,
    getsFail: 1,
    setsSuccess: 1,
    setsFail: 1,
    deleteSuccess: 1,
    deleteFail: 1,
    updateSuccess: 1,
    updateFail: 1,
    createSuccess: 2,
    createFail: 1,
    compareAndSwapSuccess: 1,
    compareAndSwapFail: 1,
    compareAndDeleteSuccess: 1,
    compareAndDeleteFail: 1,
    expireCount: 0,
    watchers: 0,
  });
});

it("counts expiries", async () => {
  await attempt({ action: "set", key: "/a", value: "1", ttl: 1 });
  await attempt({ action: "set", key: "/b", value: "1", ttl: 1 });
  clock.advance(2000);
  expect(keySpace.stats).toMatchObject({ expireCount: 2, deleteSuccess: 0 });
});

it("counts the current watchers", async () => {
  await keySpace.openWatch({ key: "/a" });
  const watch = await keySpace.openWatch({ key: "/a", stream: true });
  expect(keySpace.stats.watchers).toBe(2);
  await attempt({ action: "set", key: "/a", value: "1" });
  expect(keySpace.stats.watchers).toBe(1);
  watch.close();
  expect(keySpace.stats.watchers).toBe(0);
});
