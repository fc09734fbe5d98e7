import { systemClock } from "../time/clock.js";
import { diffTrees } from "../transfer/diff-trees.js";
import type { Difference } from "../transfer/difference.js";
import type { Sides } from "../transfer/sides.js";
import { count, percent } from "./output/migration-text.js";
import { ProgressLine } from "./output/progress-line.js";
import { print } from "./print.js";

type Kinds = Record<Difference["kind"], number>;

/** Says what a migration would have to do. */
export async function showPlan(sides: Sides): Promise<void> {
  const line = new ProgressLine(systemClock, process.stderr);
  const kinds: Kinds = { missing: 0, value: 0, type: 0, ttl: 0, extra: 0 };
  let compared = 0;
  const onProgress = (now: number, share: number): void => {
    compared = now;
    line.show(() => `comparing ${percent(share)} · ${count(now, "key")}`);
  };
  for await (const { kind } of diffTrees({ ...sides, onProgress })) kinds[kind]++;
  line.note("nothing was written");
  print(
    `${count(compared, "key")} and directories in the source`,
    `${kinds.missing} to write, ${kinds.value + kinds.ttl} to change`,
    `${kinds.type} to turn from a file into a directory, or back`,
    `${kinds.extra} to remove in the target, with all below`,
  );
}
