import type { LargeValue } from "../../transfer/compare/check-source.js";
import type { MigrationProgress } from "../../transfer/migrate/migration-progress.js";
import { oneLine } from "./one-line.js";
import { Rate } from "./rate.js";

/** Milliseconds of a phase before which nobody can tell how long it takes. */
const ESTIMABLE = 2_000;

/** How far a migration is, in one line. */
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
      return `following · ${lag} · ${whole(rate)}/s · ${whole(written)} written · index ${index}`;
    }
    const rate = this.#rate.of(compared, elapsed);
    return [
      `${phase} ${percent(progress.share)}`,
      `${count(compared, "key")}`,
      ...[`${whole(rate)}/s`, this.#left(progress), lag].filter((part) => part !== ""),
    ].join(" · ");
  }

  /** Phases count different things. */
  #enter({ phase, elapsed }: MigrationProgress): void {
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#begunAt = elapsed;
    this.#rate = new Rate();
  }

  #left({ share, elapsed }: MigrationProgress): string {
    const inPhase = elapsed - this.#begunAt;
    const isKnown = inPhase > ESTIMABLE && share > 0 && share < 1;
    return isKnown ? `${duration((inPhase / share) * (1 - share))} left` : "";
  }
}

/** A source is often checked in no time. */
export function isWorthShowing({ phase, elapsed }: MigrationProgress): boolean {
  return phase !== "checking" || elapsed > ESTIMABLE;
}

/** How the copying went. */
export function copiedText(progress: MigrationProgress): string {
  const { total, elapsed } = progress;
  return `${doneText(progress)} (${whole((total * 1000) / Math.max(1, elapsed))}/s)`;
}

/** What is done, and what was seen to be the same in the target. */
export function doneText(progress: MigrationProgress): string {
  const { compared, written, index, elapsed, lost, changing } = progress;
  return [
    `${count(compared, "key")} compared with the target, and the same there`,
    ...(lost > 0 ? [`except ${whole(lost)} named above`] : []),
    ...(changing > 0 ? [`except ${whole(changing)} that changed at each comparison`] : []),
    `${whole(written)} written or removed`,
    `up to index ${index} of the source`,
    `in ${duration(elapsed)}`,
  ].join(", ");
}

/** Which hidden keys were copied. */
export function hiddenText(hidden: readonly string[]): string {
  const copied = hidden.length === 0 ? "none was named" : `copied were ${hidden.join(", ")}`;
  return `hidden keys (_...) are not listed by etcd and must be named with --hidden: ${copied}`;
}

/** A value that a target may refuse. */
export function sizeText({ key, bytes }: LargeValue): string {
  const size = (bytes / 1024 / 1024).toFixed(1);
  return `the largest value, of ${oneLine(key)}, has ${size} MiB: etcd's v3 API takes 1.5 MiB if --max-request-bytes does not say otherwise; the migration tries it first`;
}

/** How far it came, where it did not come to its end. */
export function stateOf({ phase, share, compared, written, waiting }: MigrationProgress): string {
  const copied = phase === "copying" ? percent(share) : "100%";
  return `${copied} copied: ${count(compared, "key")} compared, ${whole(written)} written or removed, ${count(waiting, "change")} waiting; the same command goes on from here`;
}

export function percent(share: number): string {
  return `${Math.floor(share * 100)}%`;
}

export function count(number: number, what: string): string {
  return `${whole(number)} ${what}${number === 1 ? "" : "s"}`;
}

/** With commas, whatever the language of the system. */
function whole(number: number): string {
  return Math.round(number).toLocaleString("en-US");
}

function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours > 0) return `${hours}h${minutes}m`;
  return minutes > 0 ? `${minutes}m${seconds % 60}s` : `${seconds}s`;
}
