import { systemClock } from "../time/clock.js";
import { type DiffOptions, diffTrees } from "../transfer/diff-trees.js";
import type { Sides } from "../transfer/sides.js";
import { CommandError } from "./command-error.js";
import { differenceText } from "./output/difference-text.js";
import { count, percent } from "./output/migration-text.js";
import { ProgressLine } from "./output/progress-line.js";
import { print } from "./print.js";

/** What differences are shown. */
type Shown = Pick<DiffOptions, "ttlTolerance" | "lossy">;

/** Prints each difference in a line. @throws CommandError that counts them, if there are any */
export async function showDifferences(sides: Sides, shown: Shown): Promise<void> {
  const line = new ProgressLine(systemClock, process.stderr);
  let compared = 0;
  let different = 0;
  const onProgress = (now: number, share: number): void => {
    compared = now;
    line.show(() => `comparing ${percent(share)} · ${count(now, "key")}`);
  };
  for await (const difference of diffTrees({ ...sides, ...shown, onProgress })) {
    different++;
    line.clear();
    print(differenceText(difference));
  }
  const what = `${count(compared, "key")} compared, ${count(different, "difference")}`;
  line.note(what);
  if (different > 0) throw new CommandError("the target is not as the source is");
}
