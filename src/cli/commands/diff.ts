import { Command } from "commander";
import { parseSeconds } from "../options/duration.js";
import {
  addSourceTargetOptions,
  type SourceTargetOptions,
  withSourceAndTarget,
} from "../options/source-target-options.js";
import { withFailureReport } from "../process/with-failure-report.js";
import { showDifferences } from "./show-differences.js";

interface DiffFlags extends SourceTargetOptions {
  readonly ttlTolerance?: number;
  readonly lossy?: boolean;
}

export function diffCommand(): Command {
  return addSourceTargetOptions(new Command("diff"))
    .description(
      "Compare two trees: values, directories, TTLs, and the hidden keys that you name. Each difference is " +
        "one line: - is missing in the target, + is only in the target, ~ is different, ? cannot be " +
        "compared. The exit code is 1 if there are differences.",
    )
    .option(
      "--ttl-tolerance <duration>",
      "difference that TTLs may differ (default: 5)",
      parseSeconds,
    )
    .option("--lossy", "skip keys that cannot be compared (?)")
    .addHelpText(
      "after",
      "\nExample:\n  etcdnet diff --from http://10.0.0.1:2379 --to http://10.0.1.1:2379 --to-api v3",
    )
    .action((flags: DiffFlags) =>
      withFailureReport(flags.debug, () =>
        withSourceAndTarget(flags, (trees) => showDifferences(trees, comparisonOptionsOf(flags))),
      ),
    );
}

function comparisonOptionsOf({ ttlTolerance, lossy = false }: DiffFlags) {
  return { lossy, ...(ttlTolerance !== undefined && { ttlTolerance }) };
}
