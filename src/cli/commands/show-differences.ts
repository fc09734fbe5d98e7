import { isEtcdError } from "../../errors/is-etcd-error.js";
import { type DiffOptions, diffTrees } from "../../transfer/compare/diff-trees.js";
import type { SourceAndTarget } from "../../transfer/source/source-and-target.js";
import type { OutputFormat } from "../options/client-options.js";
import { DIFFERENCES } from "../output/difference-text.js";
import { ListPrinter } from "../output/list-printer.js";
import { count } from "../output/migration-text.js";
import { countedNodes, WorkLine } from "../output/work-line.js";
import { CommandError } from "../process/command-error.js";
import { exitCodeOfSignal } from "../process/exit-code.js";
import { untilInterrupted } from "../process/interrupt.js";

/** Options that select the differences to show. */
interface ComparisonOptions extends Pick<DiffOptions, "ttlTolerance" | "lossy"> {
  /** @default "simple" */
  readonly output?: OutputFormat;
}

/** Prints each difference on a line. @throws CommandError if there are any */
export async function showDifferences(
  trees: SourceAndTarget,
  { output = "simple", ...options }: ComparisonOptions,
): Promise<void> {
  using interrupt = untilInterrupted("SIGINT", "SIGTERM");
  using line = new WorkLine("comparing");
  line.announce(interrupt, "ending the comparison, which changes nothing");
  const { signal } = interrupt;
  let different = 0;
  const printer = new ListPrinter(output, DIFFERENCES);
  const what = (): string =>
    `${count(line.done, "key")} compared, ${count(different, "difference")}`;
  try {
    line.total = await countedNodes(
      trees.from,
      [trees.prefix ?? "/", ...(trees.hidden ?? [])],
      signal,
    );
    const onProgress = (now: number): void => line.update(now);
    for await (const difference of diffTrees({ ...trees, ...options, signal, onProgress })) {
      different++;
      line.clear();
      printer.take(difference);
    }
    printer.end();
  } catch (error) {
    if (!signal.aborted || !isEtcdError(error, "Abort")) throw error;
    line.note(`stopped: ${what()} so far`);
    process.exitCode = exitCodeOfSignal(signal.reason);
    return;
  }
  line.note(what());
  if (different > 0) throw new CommandError("the target differs from the source");
}
