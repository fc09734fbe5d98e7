import type { MigrationProgress } from "../../transfer/migration-progress.js";
import { Rate } from "./rate.js";

/** Milliseconds before which nobody can tell how long it takes. */
const ESTIMABLE = 2_000;

/** How far a migration is, in one line. */
export class MigrationText {
  readonly #rate = new Rate();

  of(progress: MigrationProgress): string {
    const { phase, share, compared, written, waiting, index, elapsed } = progress;
    const lag = `lag ${count(waiting, "change")}`;
    if (phase === "following") {
      const rate = this.#rate.of(written, elapsed);
      return `following · ${lag} · ${whole(rate)}/s · ${whole(written)} written · index ${index}`;
    }
    const rate = this.#rate.of(compared, elapsed);
    const isKnown = elapsed > ESTIMABLE && share > 0 && share < 1;
    const left = isKnown ? `${duration((elapsed / share) * (1 - share))} left` : "";
    return [
      `copying ${percent(share)}`,
      ...[`${count(compared, "key")}`, `${whole(rate)}/s`, left, lag].filter((part) => part !== ""),
    ].join(" · ");
  }
}

/** How the copying went. */
export function copiedText(progress: MigrationProgress): string {
  const { compared, elapsed } = progress;
  return `${doneText(progress)} (${whole((compared * 1000) / Math.max(1, elapsed))}/s)`;
}

/** What was done until now. */
export function doneText({ compared, written, index, elapsed }: MigrationProgress): string {
  return `${count(compared, "key")} compared, ${whole(written)} written or removed, up to index ${index} of the source, in ${duration(elapsed)}`;
}

/** A warning: nothing but their owner can tell whether they were so before. */
export function unreadableText({ unreadable }: MigrationProgress): string {
  return `warning: ${count(unreadable, "value")} with U+FFFD: what is not UTF-8 in a v3 source is replaced by that`;
}

/** How far it came, where it did not come to its end. */
export function stateOf({ share, compared, written, waiting }: MigrationProgress): string {
  return `${percent(share)} copied: ${count(compared, "key")} compared, ${whole(written)} written or removed, ${count(waiting, "change")} waiting; the same command goes on from here`;
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
