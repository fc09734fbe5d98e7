import type { LargeValue } from "../../transfer/compare/check-source.js";
import type { MigrationProgress } from "../../transfer/migrate/migration-progress.js";
import { oneLine } from "./one-line.js";
import { Rate } from "./rate.js";

/** Time in a phase after which its duration can be estimated. */
const MIN_ESTIMATE_MS = 2_000;

/** The progress of a migration, in one line. */
export class MigrationText {
  #rate = new Rate();
  #phase: MigrationProgress["phase"] | undefined;
  /** `elapsed` when the phase began. */
  #begunAt = 0;

  of(progress: MigrationProgress): string {
    this.#enter(progress);
    const { phase, compared, written, waiting, index, elapsed } = progress;
    if (phase === "checking") return `checking the source · ${count(compared, "key")}`;
    const lag = `lag ${count(waiting, "change")}`;
    if (phase === "following") {
      const rate = this.#rate.of(written, elapsed);
      return `following · ${lag} · ${whole(rate)} keys/s · ${whole(written)} written · index ${index}`;
    }
    const rate = this.#rate.of(compared, elapsed);
    return [
      `${phase} ${percent(progress.share)}`,
      `${whole(compared)} / ${count(Math.max(compared, progress.total), "key")}`,
      ...[`${whole(rate)} keys/s`, this.#left(progress), lag].filter((part) => part !== ""),
    ].join(" · ");
  }

  /** Resets the rate at each phase: phases count different things. */
  #enter({ phase, elapsed }: MigrationProgress): void {
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#begunAt = elapsed;
    this.#rate = new Rate();
  }

  #left({ share, elapsed }: MigrationProgress): string {
    const inPhase = elapsed - this.#begunAt;
    const isKnown = inPhase > MIN_ESTIMATE_MS && share > 0 && share < 1;
    return isKnown ? `${durationText((inPhase / share) * (1 - share))} left` : "";
  }
}

/** Whether to show the progress. The check of a source is often too short to be shown. */
export function isWorthShowing({ phase, elapsed }: MigrationProgress): boolean {
  return phase !== "checking" || elapsed > MIN_ESTIMATE_MS;
}

/** Summary of the copy phase. */
export function copiedText(progress: MigrationProgress): string {
  const { total, elapsed } = progress;
  return `${doneText(progress)} (${whole((total * 1000) / Math.max(1, elapsed))} keys/s)`;
}

/** Summary of a complete migration. */
export function doneText(progress: MigrationProgress): string {
  const { compared, written, index, elapsed, lost, changing } = progress;
  return [
    `${count(compared, "key")} compared and equal in the target`,
    ...(lost > 0 ? [`except ${whole(lost)} named above`] : []),
    ...(changing > 0 ? [`except ${whole(changing)} that changed at each comparison`] : []),
    `${whole(written)} written or removed`,
    `up to index ${index} of the source`,
    `in ${durationText(elapsed)}`,
  ].join(", ");
}

/** The hidden keys that were copied. */
export function hiddenText(hidden: readonly string[]): string {
  const copied = hidden.length === 0 ? "not copied" : `copied ${hidden.join(", ")}`;
  return `hidden keys (_...): ${copied}; etcd does not list them, so name each with --hidden`;
}

/** Warns of a value that the target may refuse. */
export function sizeText({ key, bytes }: LargeValue): string {
  const size = (bytes / 1024 / 1024).toFixed(1);
  return `the largest value, of ${oneLine(key)}, has ${size} MiB: etcd's v3 API accepts 1.5 MiB unless --max-request-bytes is higher; the migration writes this value first`;
}

/** Summary of a migration that was stopped. */
export function stateOf({ phase, share, compared, written, waiting }: MigrationProgress): string {
  const copied = phase === "copying" ? percent(share) : "100%";
  return `${copied} copied: ${count(compared, "key")} compared, ${whole(written)} written or removed, ${count(waiting, "change")} waiting; run the same command again to continue`;
}

export function percent(share: number): string {
  return `${Math.floor(share * 100)}%`;
}

export function count(number: number, what: string): string {
  return `${whole(number)} ${what}${number === 1 ? "" : "s"}`;
}

/** With commas, independent of the system's language. */
export function whole(number: number): string {
  return Math.round(number).toLocaleString("en-US");
}

export function durationText(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours > 0) return `${hours}h${minutes}m`;
  return minutes > 0 ? `${minutes}m${seconds % 60}s` : `${seconds}s`;
}
