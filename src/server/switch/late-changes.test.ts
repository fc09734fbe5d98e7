import { describe, expect, it } from "vitest";
import { SimulatedClock } from "../../../test/support/simulated-clock.js";
import { MemoryKeySpace } from "../../key-space/memory/memory-key-space.js";
import { LateChanges } from "./late-changes.js";

describe("LateChanges", () => {
  it("counts what is written after the end, but no key that expires", async () => {
    const clock = new SimulatedClock();
    const store = new MemoryKeySpace({ clock });
    await store.execute({ action: "set", key: "/before", value: "1" });
    const leased = { action: "set", key: "/leased", value: "1", ttl: 1 } as const;
    const end = (await store.execute(leased)).etcdIndex;
    const late = new LateChanges(store, end, clock);
    const closing = new AbortController();
    const watching = late.watch(closing.signal).catch(() => {});
    await clock.pass(2_000);
    await store.execute({ action: "set", key: "/a/b", value: "1" });
    await expect.poll(() => late.count).toBe(1);
    const last = `set /a/b at index ${end + 2}`;
    expect(late.text).toBe(`changes of v2 after its end: 1; last: ${last}`);
    await store.execute({ action: "delete", key: "/a/b" });
    await expect.poll(() => late.count).toBe(2);
    closing.abort(new Error("closed"));
    await watching;
  });

  it("says that it does not know what v2 has discarded", async () => {
    const clock = new SimulatedClock();
    const store = new MemoryKeySpace({ clock });
    for (let at = 0; at < 1_500; at++) {
      await store.execute({ action: "set", key: "/a", value: "1" });
    }
    const late = new LateChanges(store, 10, clock);
    const closing = new AbortController();
    const watching = late.watch(closing.signal).catch(() => {});
    await expect.poll(() => late.text).toMatch(/: 1; last: unknown, from index 11 to \d+$/);
    closing.abort(new Error("closed"));
    await watching;
  });

  it("says nothing when nothing has happened", () => {
    const clock = new SimulatedClock();
    expect(new LateChanges(new MemoryKeySpace({ clock }), 0, clock).text).toBe("");
  });
});
