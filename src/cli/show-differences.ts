import { systemClock } from "../time/clock.js";
import { diffTrees } from "../transfer/diff-trees.js";
import type { Sides } from "../transfer/sides.js";
import { CommandError } from "./command-error.js";
import { differenceText } from "./output/difference-text.js";
import { count, percent } from "./output/migration-text.js";
import { ProgressLine } from "./output/progress-line.js";
import { print } from "./print.js";

/** Prints each difference in a line. @throws CommandError that counts them, if there are any */
export async function showDifferences(sides: Sides, ttlTolerance?: number): Promise<void> {
  const line = new ProgressLine(systemClock, process.stderr);
  let compared = 0;
  let different = 0;
  const onProgress = (now: number, share: number): void => {
    compared = now;
    line.show(() => `comparing ${percent(share)} · ${count(now, "key")}`);
  };
  const options = { ...sides, onProgress, ...(ttlTolerance !== undefined && { ttlTolerance }) };
  for await (const difference of diffTrees(options)) {
    different++;
    print(differenceText(difference));
  }
  const what = `${count(compared, "key")} compared, ${count(different, "difference")}`;
  line.note(what);
  if (different > 0) throw new CommandError("the target is not as the source is");
}
