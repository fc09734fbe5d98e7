import { systemClock } from "../../time/clock.js";
import { type DiffOptions, diffTrees } from "../../transfer/compare/diff-trees.js";
import type { SourceAndTarget } from "../../transfer/source/source-and-target.js";
import { differenceText } from "../output/difference-text.js";
import { count } from "../output/migration-text.js";
import { ProgressLine } from "../output/progress-line.js";
import { CommandError } from "../process/command-error.js";
import { print } from "../process/print.js";

/** Time after which progress is shown. */
const PROGRESS_DELAY_MS = 2_000;

/** Options that select the differences to show. */
type ComparisonOptions = Pick<DiffOptions, "ttlTolerance" | "lossy">;

/** Prints each difference on a line. @throws CommandError if there are any */
export async function showDifferences(
  trees: SourceAndTarget,
  options: ComparisonOptions,
): Promise<void> {
  const line = new ProgressLine(systemClock, process.stderr, PROGRESS_DELAY_MS);
  let compared = 0;
  let different = 0;
  const onProgress = (now: number): void => {
    compared = now;
    line.show(() => `comparing · ${count(now, "key")}`);
  };
  for await (const difference of diffTrees({ ...trees, ...options, onProgress })) {
    different++;
    line.clear();
    print(differenceText(difference));
  }
  const what = `${count(compared, "key")} compared, ${count(different, "difference")}`;
  line.note(what);
  if (different > 0) throw new CommandError("the target differs from the source");
}
