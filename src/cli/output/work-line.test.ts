import { afterEach, expect, it, vi } from "vitest";
import { startEmbeddedEtcd } from "../../server/embedded-etcd.js";
import { systemClock } from "../../time/clock.js";
import { countedNodes, WorkLine } from "./work-line.js";

const isTTY = process.stderr.isTTY;
afterEach(() => {
  process.stderr.isTTY = isTTY;
  vi.restoreAllMocks();
});

it("counts the nodes below all keys for a terminal, and nothing for others", async () => {
  await using etcd = await startEmbeddedEtcd();
  const { keySpace } = etcd;
  for (const key of ["/a/b", "/a/c/d", "/_hidden/e", "/other"]) {
    await keySpace.execute({ action: "set", key, value: "1" });
  }
  process.stderr.isTTY = true;
  expect(await countedNodes(keySpace, ["/a", "/_hidden"])).toBe(4);
  process.stderr.isTTY = false;
  expect(await countedNodes(keySpace, ["/a", "/_hidden"])).toBeUndefined();
});

it("shows the count and the total when the work has taken long, and erases them at the end", () => {
  const written = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const time = vi.spyOn(systemClock, "monotonic").mockReturnValue(0);
  process.stderr.isTTY = true;
  const hidden = new WorkLine("exporting", false);
  {
    using line = new WorkLine("exporting");
    line.total = 10;
    line.update(1);
    time.mockReturnValue(2_000);
    line.update(4);
    hidden.update(4);
  }
  const text = written.mock.calls.map(([part]) => part).join("");
  expect(text).toBe("exporting 4 / 10 keys · 2 keys/s · 3s left\r\x1b[2K");
});

it("says at the first signal what happens, and what a second one does", () => {
  const written = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const controller = new AbortController();
  using line = new WorkLine("exporting");
  using interrupt = { signal: controller.signal, [Symbol.dispose]: () => {} };
  line.announce(interrupt, "ending the export");
  expect(written).not.toHaveBeenCalled();
  controller.abort("SIGINT");
  expect(written.mock.calls).toEqual([
    ["SIGINT: ending the export; Ctrl-C again ends the command at once\n"],
  ]);
});
