import { systemClock } from "../../time/clock.js";
import { diffTrees } from "../../transfer/compare/diff-trees.js";
import type { Difference } from "../../transfer/compare/difference.js";
import type { MigrateOptions } from "../../transfer/migrate/migrate-options.js";
import { preflight } from "../../transfer/migrate/preflight.js";
import { LossLines } from "../output/loss-lines.js";
import {
  count,
  isWorthShowing,
  MigrationText,
  percent,
  sizeText,
} from "../output/migration-text.js";
import { ProgressLine } from "../output/progress-line.js";
import { print } from "../process/print.js";

type Kinds = Record<Difference["kind"], number>;

/** Prints what a migration would do. @throws the errors with which the migration refuses to start */
export async function showPlan(options: MigrateOptions): Promise<void> {
  const line = new ProgressLine(systemClock, process.stderr);
  const text = new MigrationText();
  const losses = new LossLines(line);
  const checked = await preflight({
    ...options,
    onLoss: losses.show,
    onProgress: (progress) => isWorthShowing(progress) && line.show(() => text.of(progress)),
  });
  const kinds: Kinds = {
    ...{ missing: 0, value: 0, type: 0, ttl: 0, extra: 0, uncertain: 0, unnamed: 0 },
  };
  const { nodes } = checked.size;
  const onProgress = (compared: number): void => {
    line.show(
      () => `comparing ${percent(compared / Math.max(1, nodes))} · ${count(compared, "key")}`,
    );
  };
  const { from, to, prefix, toPrefix, hidden } = options;
  const trees = { from, to, ...(prefix && { prefix }), ...(toPrefix && { toPrefix }) };
  const differences = diffTrees({ ...trees, ...(hidden && { hidden }), lossy: true, onProgress });
  for await (const { kind } of differences) kinds[kind]++;
  line.note("nothing was written");
  const [largest] = checked.size.largest;
  if (largest !== undefined) line.note(sizeText(largest));
  print(
    `${count(nodes, "key")} and directories in the source`,
    `${kinds.missing} to write, ${kinds.value + kinds.ttl} to change`,
    `${kinds.type} to convert between file and directory`,
    `${kinds.extra} to remove in the target, with everything below`,
  );
}
