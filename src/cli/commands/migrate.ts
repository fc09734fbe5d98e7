import { Command } from "commander";
import { isEtcdError } from "../../errors/is-etcd-error.js";
import { systemClock } from "../../time/clock.js";
import { refuseOverlap } from "../../transfer/compare/locate-trees.js";
import { migrate } from "../../transfer/migrate/migrate.js";
import type { MigrationProgress } from "../../transfer/migrate/migration-progress.js";
import type { SourceAndTarget } from "../../transfer/source/source-and-target.js";
import {
  addSourceTargetOptions,
  type SourceTargetOptions,
  withSourceAndTarget,
} from "../options/source-target-options.js";
import { parsePositive } from "../options/whole-number.js";
import { LossLines } from "../output/loss-lines.js";
import {
  copiedText,
  doneText,
  hiddenText,
  isWorthShowing,
  MigrationText,
  stateOf,
} from "../output/migration-text.js";
import { ProgressLine } from "../output/progress-line.js";
import { exitCodeOfSignal } from "../process/exit-code.js";
import { withFailureReport } from "../process/with-failure-report.js";
import { showDifferences } from "./show-differences.js";
import { showPlan } from "./show-plan.js";

interface MigrateFlags extends SourceTargetOptions {
  readonly follow?: boolean;
  readonly overwrite?: boolean;
  readonly lossy?: boolean;
  readonly dryRun?: boolean;
  readonly verify?: boolean;
  readonly rate?: number;
}

export function migrateCommand(): Command {
  return addSourceTargetOptions(new Command("migrate"))
    .description(
      "Copy a tree to another cluster, or between v2 and v3, while the source is in use: values, " +
        "directories, TTLs, and the hidden keys that you name. Changes during the copy are copied too, " +
        "including deletes. Data that cannot be copied is reported before anything is written. After the " +
        "copy, source and target are compared. You can kill it at any time and run it again: it continues.",
    )
    .option("--follow", "continue to copy changes and to refresh TTLs, until Ctrl-C or SIGTERM")
    .option("--rate <number>", "maximum number of keys written per second", parsePositive)
    .option(
      "--overwrite",
      "accept a target with other data; data that is not in the source is removed",
    )
    .option(
      "--lossy",
      "continue if keys cannot be copied (too deep, too large, not UTF-8) or values are not UTF-8; each one is named",
    )
    .option("--dry-run", "check the data, show what would be written, and write nothing")
    .option(
      "--verify",
      "write nothing; compare like diff, with exit code 1 if there are differences",
    )
    .addHelpText(
      "after",
      "\nExample:\n  etcdnet migrate --from http://10.0.0.1:2379 --to http://10.0.1.1:2379 --to-api v3 --follow",
    )
    .action((flags: MigrateFlags) =>
      withFailureReport(flags.debug, () =>
        withSourceAndTarget(flags, (trees) => runMigration(trees, flags)),
      ),
    );
}

async function runMigration(trees: SourceAndTarget, flags: MigrateFlags): Promise<void> {
  const { dryRun = false, verify = false, follow = false, lossy = false } = flags;
  if (dryRun && verify)
    throw new Error("--dry-run: cannot be combined with --verify; use one of them");
  if (follow && (dryRun || verify))
    throw new Error("--follow: cannot be combined with --dry-run or --verify");
  if (verify) {
    await refuseOverlap(trees);
    await showDifferences(trees, { lossy });
  } else if (dryRun) await showPlan({ ...trees, ...writeOptionsOf(flags) });
  else await copy(trees, flags);
}

function writeOptionsOf({ overwrite = false, lossy = false }: MigrateFlags) {
  return { overwrite, lossy };
}

async function copy(trees: SourceAndTarget, flags: MigrateFlags): Promise<void> {
  const { follow = false, rate } = flags;
  const view = new MigrationView();
  using end = new SignalEnd(() => follow && view.isCopied, view.announce);
  try {
    const done = await migrate({
      ...trees,
      ...writeOptionsOf(flags),
      ...(rate !== undefined && { rate }),
      ...(follow && { until: end.until }),
      signal: end.signal,
      onLoss: view.losses.show,
      onProgress: view.show,
    });
    view.end(done, trees.hidden ?? []);
  } catch (error) {
    view.stop();
    if (end.by === undefined || !isEtcdError(error, "Abort")) throw error;
    process.exitCode = exitCodeOfSignal(end.by);
  }
}

class MigrationView {
  readonly #text = new MigrationText();
  readonly #line = new ProgressLine(systemClock, process.stderr);
  readonly losses = new LossLines(this.#line);
  /** Whether everything was copied and compared once. */
  isCopied = false;
  latest: MigrationProgress | undefined;

  readonly show = (progress: MigrationProgress): void => {
    if (progress.phase === "following" && !this.isCopied) {
      this.isCopied = true;
      this.#line.note(`copied: ${copiedText(progress)}`);
    }
    this.latest = progress;
    if (isWorthShowing(progress)) this.#line.show(() => this.#text.of(progress));
  };

  readonly announce = (what: string): void => this.#line.note(what);

  end(progress: MigrationProgress, hidden: readonly string[]): void {
    this.#line.note(hiddenText(hidden));
    this.#line.note(`done: ${doneText(progress)}`);
  }

  /** Called when the migration was interrupted or failed. */
  stop(): void {
    if (this.latest === undefined || this.latest.phase === "checking") this.#line.clear();
    else this.#line.note(`stopped: ${stateOf(this.latest)}`);
  }
}

/** Ends a migration at a signal: at once before everything is copied, later after the changes so far. */
class SignalEnd implements Disposable {
  readonly #abort = new AbortController();
  readonly #until = new AbortController();
  readonly #isCopied: () => boolean;
  readonly #announce: (what: string) => void;
  /** The signal that was received. */
  by: NodeJS.Signals | undefined;

  constructor(isCopied: () => boolean, announce: (what: string) => void) {
    this.#isCopied = isCopied;
    this.#announce = announce;
    process.on("SIGINT", this.#end).on("SIGTERM", this.#end);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get until(): AbortSignal {
    return this.#until.signal;
  }

  [Symbol.dispose](): void {
    process.off("SIGINT", this.#end).off("SIGTERM", this.#end);
  }

  /** Removes the listeners when it aborts the migration: a further signal then ends the process. */
  readonly #end = (name: NodeJS.Signals): void => {
    if (this.#isCopied() && !this.#until.signal.aborted) {
      this.#announce(`${name}: copying the changes so far; Ctrl-C again leaves them out`);
      this.#until.abort(name);
      return;
    }
    this[Symbol.dispose]();
    this.by = name;
    this.#announce(`${name}: ending the copy; Ctrl-C again ends the command at once`);
    this.#abort.abort(name);
  };
}
