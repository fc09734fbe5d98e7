import { Command } from "commander";
import { isAbort } from "../../errors/guards.js";
import { TargetInUseError } from "../../errors/migration-errors.js";
import { systemClock } from "../../time/clock.js";
import { migrate } from "../../transfer/migrate.js";
import type { MigrationProgress } from "../../transfer/migration-progress.js";
import type { Sides } from "../../transfer/sides.js";
import { exitCodeOfSignal } from "../exit-code.js";
import { failuresReported } from "../failures-reported.js";
import {
  copiedText,
  doneText,
  MigrationText,
  stateOf,
  unreadableText,
} from "../output/migration-text.js";
import { ProgressLine } from "../output/progress-line.js";
import { showDifferences } from "../show-differences.js";
import { showPlan } from "../show-plan.js";
import { addSides, type TwoSidesFlags, withSides } from "../two-sides.js";
import { parsePositive } from "../whole-number.js";

interface MigrateFlags extends TwoSidesFlags {
  readonly follow?: boolean;
  readonly overwrite?: boolean;
  readonly dryRun?: boolean;
  readonly verify?: boolean;
  readonly rate?: number;
}

export function migrateCommand(): Command {
  return addSides(new Command("migrate"))
    .description(
      "Bring a tree to another cluster, or from v2 to v3 and back, while the source is in use: values, " +
        "directories, TTLs, and the hidden keys that are named. Changes made meanwhile are brought over, " +
        "deletes too. It can be killed at any moment and called again: it goes on.",
    )
    .option("--follow", "go on, and keep TTLs alive, until Ctrl-C or SIGTERM")
    .option("--rate <number>", "write no more keys than this in a second", parsePositive)
    .option("--overwrite", "take a target with other data: what the source lacks is removed there")
    .option("--dry-run", "say what would be written, and write nothing")
    .option(
      "--verify",
      "write nothing: compare, as diff does, exit code 1 if there are differences",
    )
    .addHelpText(
      "after",
      "\nExample:\n  etcdnet migrate --from http://10.0.0.1:2379 --to http://10.0.1.1:2379 --to-api v3 --follow",
    )
    .action((flags: MigrateFlags) =>
      failuresReported(flags.debug, () => withSides(flags, (sides) => carryOut(sides, flags))),
    );
}

async function carryOut(sides: Sides, flags: MigrateFlags): Promise<void> {
  const { dryRun = false, verify = false, follow = false } = flags;
  if (dryRun && verify) throw new Error("--dry-run: contradicts --verify; give one of them");
  if (follow && (dryRun || verify)) throw new Error("--follow: needs a migration that writes");
  if (verify) await showDifferences(sides);
  else if (dryRun) await showPlan(sides);
  else await copy(sides, flags);
}

async function copy(sides: Sides, flags: MigrateFlags): Promise<void> {
  const { follow = false, overwrite = false, rate } = flags;
  const view = new MigrationView();
  using end = new End(() => follow && view.latest?.phase === "following");
  try {
    const done = await migrate({
      ...sides,
      overwrite,
      ...(rate !== undefined && { rate }),
      ...(follow && { until: end.until }),
      signal: end.signal,
      onProgress: view.show,
    });
    view.end(done);
  } catch (error) {
    view.stop();
    if (error instanceof TargetInUseError) throw inOptions(error);
    if (end.by === undefined || !isAbort(error)) throw error;
    process.exitCode = exitCodeOfSignal(end.by);
  }
}

/** What the library calls an option is one of the command line's here. */
function inOptions(error: TargetInUseError): Error {
  return new Error(error.message.replace("with overwrite", "with --overwrite"), { cause: error });
}

class MigrationView {
  readonly #text = new MigrationText();
  readonly #line = new ProgressLine(systemClock, process.stderr);
  latest: MigrationProgress | undefined;

  readonly show = (progress: MigrationProgress): void => {
    if (progress.phase === "following" && this.latest?.phase !== "following") {
      this.#line.note(`copied: ${copiedText(progress)}`);
    }
    this.latest = progress;
    this.#line.show(() => this.#text.of(progress));
  };

  end(progress: MigrationProgress): void {
    this.#line.note(`done: ${doneText(progress)}`);
    if (progress.unreadable > 0) this.#line.note(unreadableText(progress));
  }

  /** It was interrupted, or failed. */
  stop(): void {
    if (this.latest !== undefined) this.#line.note(`stopped: ${stateOf(this.latest)}`);
  }
}

/** Told to end: once everything was copied, with the changes until now; before, at once. */
class End implements Disposable {
  readonly #abort = new AbortController();
  readonly #until = new AbortController();
  readonly #isCopied: () => boolean;
  /** The signal that told it. */
  by: NodeJS.Signals | undefined;

  constructor(isCopied: () => boolean) {
    this.#isCopied = isCopied;
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

  /** Once it is to end at once, a further signal ends the process, as always. */
  readonly #end = (name: NodeJS.Signals): void => {
    if (this.#isCopied() && !this.#until.signal.aborted) {
      this.#until.abort(name);
      return;
    }
    this[Symbol.dispose]();
    this.by = name;
    this.#abort.abort(name);
  };
}
