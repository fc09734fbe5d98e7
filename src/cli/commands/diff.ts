import { Argument, Command, Option } from "commander";
import { addHiddenClientOptions, type OutputFormat } from "../options/client-options.js";
import { parseSeconds } from "../options/duration.js";
import { keyOf } from "../options/key-argument.js";
import {
  addSourceTargetOptions,
  type SourceTargetOptions,
  withSourceAndTarget,
} from "../options/source-target-options.js";
import { parsePositive } from "../options/whole-number.js";
import { withFailureReport } from "../process/with-failure-report.js";
import { diffPast } from "./diff-past.js";
import { withSession } from "./session.js";
import { showDifferences } from "./show-differences.js";

interface DiffFlags extends SourceTargetOptions {
  readonly ttlTolerance?: number;
  readonly lossy?: boolean;
  readonly at?: readonly number[];
  readonly output?: OutputFormat;
}

/** Options that have a meaning for two clusters and for two indexes of one. */
const SHARED = ["--prefix", "--timeout", "--total-timeout", "--debug", "--output"];
const FORMATS = ["simple", "json", "jsonl", "yaml", "table"];

export function diffCommand(): Command {
  const command = addSourceTargetOptions(new Command("diff"))
    .description(
      "Compare two trees: values, directories, TTLs, and the hidden keys that you name. Each difference is " +
        "one line: - is missing in the target, + is only in the target, ~ is different, ? cannot be " +
        "compared. The exit code is 1 if there are differences.\n\n" +
        "With --at, show what has changed in one cluster: + was created, ~ was changed, - was removed.",
    )
    .addArgument(new Argument("[key]", "with --at: the key to compare (default: the root)"))
    .option(
      "--at <index>",
      "with --api v3: compare the state at this index with that at a second --at, or with now",
      (text: string, before: readonly number[] = []) => [...before, parsePositive(text)],
    )
    .option(
      "--ttl-tolerance <duration>",
      "difference that TTLs may differ (default: 5)",
      parseSeconds,
    )
    .option("--lossy", "skip keys that cannot be compared (?)")
    .addOption(
      new Option("-o, --output <format>", "output format (default: simple)").choices(FORMATS),
    )
    .addHelpText(
      "after",
      "\nExample:\n  etcdnet diff --from http://10.0.0.1:2379 --to http://10.0.1.1:2379 --to-api v3\n" +
        "  etcdnet diff --at 1200 --at 1300 /config --api v3 --endpoints http://10.0.0.1:2379",
    )
    .action((key: string | undefined, flags: DiffFlags) => run(command, key, flags));
  return addHiddenClientOptions(command, SHARED);
}

async function run(command: Command, key: string | undefined, flags: DiffFlags): Promise<void> {
  const { at, output = "simple" } = flags;
  if (at !== undefined) {
    refuseGiven(command, isOfTwoClusters, "does not go with --at, which compares one cluster");
    if (at.length > 2) command.error("error: --at can be given once or twice");
    await withSession(command, (session) => diffPast(session, keyOf(key ?? "/"), at));
    return;
  }
  const isGlobal = ({ long, hidden }: Option): boolean => hidden && !SHARED.includes(long ?? "");
  refuseGiven(command, isGlobal, "is not an option for two clusters; each has its own");
  if (command.parent !== null) {
    refuseGiven(
      command.parent,
      () => true,
      "is not a global option of etcdnet diff; write it after diff",
    );
  }
  if (key !== undefined) command.error(`error: ${key}: a key needs --at; use --prefix ${key}`);
  const options = { ...comparisonOptionsOf(flags), output };
  await withFailureReport(flags.debug, () =>
    withSourceAndTarget(flags, (trees) => showDifferences(trees, options)),
  );
}

/** Refuses options that were given, but have no effect. */
function refuseGiven(
  command: Command,
  isRefused: (option: Option) => boolean,
  problem: string,
): void {
  const given = command.options.find(
    (option) => command.getOptionValueSource(option.attributeName()) === "cli" && isRefused(option),
  );
  if (given !== undefined) command.error(`error: ${given.long} ${problem}`);
}

function isOfTwoClusters({ long = "" }: Option): boolean {
  return (
    /^--(?:from|to)(?:-|$)/.test(long) || ["--hidden", "--lossy", "--ttl-tolerance"].includes(long)
  );
}

function comparisonOptionsOf({ ttlTolerance, lossy = false }: DiffFlags) {
  return { lossy, ...(ttlTolerance !== undefined && { ttlTolerance }) };
}
