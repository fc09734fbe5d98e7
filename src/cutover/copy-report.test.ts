import { expect, test } from "vitest";
import { SimulatedClock } from "../../test/support/simulated-clock.js";
import { MemoryKeySpace } from "../key-space/memory/memory-key-space.js";
import type { MigrationProgress } from "../transfer/migrate/migration-progress.js";
import { CopyReport } from "./copy-report.js";
import { CutoverRecords } from "./cutover-records.js";
import { cutoverStatus } from "./cutover-status.js";

const PROGRESS: MigrationProgress = {
  ...{ phase: "copying", share: 0.1, compared: 10, total: 100, written: 9 },
  ...{ changing: 0, lost: 0, waiting: 3, index: 7, elapsed: 1_000 },
};

test("status shows a copy that runs, and forgets it when nothing more is heard of it", async () => {
  const clock = new SimulatedClock();
  const records = new CutoverRecords(new MemoryKeySpace({ clock }));
  expect(await cutoverStatus(records)).toMatchObject({ state: "source", copy: null, lag: null });
  const seen: number[] = [];
  const note = new CopyReport(records, clock, "v3").before(({ compared }) => seen.push(compared));
  for (let compared = 10; compared < 30; compared++) note({ ...PROGRESS, compared });
  expect(seen).toHaveLength(20);
  const copy = { to: "v3", phase: "copying", compared: 10, total: 100, waiting: 3 };
  expect(await cutoverStatus(records)).toMatchObject({ copy, lag: 3 });
  await clock.pass(1_000);
  note({ ...PROGRESS, compared: 30, waiting: 0 });
  expect(await cutoverStatus(records)).toMatchObject({ copy: { compared: 30 }, lag: 0 });
  await clock.pass(11_000);
  expect(await cutoverStatus(records)).toMatchObject({ copy: null, lag: null });
});
