import type { Clock } from "../time/clock.js";
import type { MigrationProgress } from "../transfer/migrate/migration-progress.js";
import type { CopyStatus } from "./copy-status.js";
import type { CutoverRecords } from "./cutover-records.js";

/** Milliseconds between two reports. */
const INTERVAL_MS = 1_000;
/** Seconds after which a report is no longer shown. */
const TTL_S = 10;

/** Writes to v3 how far a copy has got, for `status`. */
export class CopyReport {
  readonly #records: Pick<CutoverRecords, "noteCopy">;
  readonly #clock: Clock;
  readonly #to: CopyStatus["to"];
  #next = 0;

  constructor(records: Pick<CutoverRecords, "noteCopy">, clock: Clock, to: CopyStatus["to"]) {
    this.#records = records;
    this.#clock = clock;
    this.#to = to;
  }

  /** A callback for the progress of the copy. @param then called after it */
  before(
    then: ((progress: MigrationProgress) => void) | undefined,
  ): (progress: MigrationProgress) => void {
    return (progress) => {
      this.#note(progress);
      then?.(progress);
    };
  }

  #note({ phase, compared, total, waiting }: MigrationProgress): void {
    const now = this.#clock.monotonic();
    if (now < this.#next) return;
    this.#next = now + INTERVAL_MS;
    const status: CopyStatus = { to: this.#to, phase, compared, total, waiting };
    // The copy does not depend on it.
    this.#records.noteCopy(JSON.stringify(status), TTL_S).catch(() => {});
  }
}
