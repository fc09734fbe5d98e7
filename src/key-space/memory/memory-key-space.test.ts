import { expect, test } from "vitest";
import { MemoryKeySpace } from "./memory-key-space.js";

test("a larger history does not bring back what a smaller one had given up", async () => {
  const small = new MemoryKeySpace({ historySize: 2 });
  for (let count = 0; count < 5; count++) {
    await small.execute({ action: "set", key: `/${count}`, value: "" });
  }
  const large = new MemoryKeySpace({ historySize: 1000 }, small.snapshot());
  const late = large.openWatch({ key: "/", recursive: true, waitIndex: 4 });
  await expect(late).rejects.toMatchObject({ code: "ETCD_EVENT_INDEX_CLEARED" });
  const held = await large.openWatch({ key: "/", recursive: true, waitIndex: 7 });
  for await (const event of held) expect(event.node.key).toBe("/3");
});
