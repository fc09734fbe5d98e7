import { BackOff } from "../../time/back-off.js";
import type { Clock } from "../../time/clock.js";
import { type MetricFamily, metric } from "../metrics/prometheus-text.js";
import type { SnapshotFile } from "./snapshot-file.js";
import type { KeySpaces } from "./snapshot-writer.js";

/** Time from the end of one check for changes to the next check. */
const SAVE_INTERVAL_MS = 1_000;
/** Interval between two warnings about the same problem. */
const WARNING_INTERVAL_MS = 60_000;

/**
 * Writes a snapshot after changes: at the start, periodically and at the end. When a write fails, it is
 * retried with a growing backoff, the server is unhealthy, and a process warning is emitted each
 * minute.
 */
export class SnapshotKeeper {
  readonly #file: SnapshotFile;
  readonly #keySpaces: KeySpaces;
  readonly #clock: Clock;
  /** State of the key spaces in the file; undefined when there is no file. */
  #saved: string | undefined;
  #started = false;
  #failure: Error | undefined;
  #backOff = BackOff.none;
  #warnedAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #savedAt = 0;
  #duration = 0;
  #cancel: () => void = () => {};
  #writing: Promise<void> = Promise.resolve();

  /** `isNew`: there is no file yet. */
  constructor(file: SnapshotFile, keySpaces: KeySpaces, clock: Clock, isNew: boolean) {
    this.#file = file;
    this.#keySpaces = keySpaces;
    this.#clock = clock;
    this.#saved = isNew ? undefined : this.#state;
    this.#savedAt = clock.now();
  }

  /** Why the snapshot cannot be saved at present; undefined while saving works. */
  get problem(): string | undefined {
    return this.#failure?.message;
  }

  /** Metrics for `/metrics`. */
  metrics(): readonly MetricFamily[] {
    return [
      metric(
        "etcdnet_snapshot_failures_total",
        "counter",
        "Failed attempts to save the snapshot.",
        this.#failures,
      ),
      metric(
        "etcdnet_snapshot_saved_timestamp_seconds",
        "gauge",
        "Time up to which all changes are saved, in seconds since 1970.",
        this.#savedAt / 1000,
      ),
      metric(
        "etcdnet_snapshot_save_duration_seconds",
        "gauge",
        "Duration of the last save, in seconds.",
        this.#duration / 1000,
      ),
    ];
  }

  /** Saves now, and from now on after changes. @throws Error when the file cannot be written */
  async start(): Promise<void> {
    await this.#save();
    this.#started = true;
    this.#schedule(SAVE_INTERVAL_MS);
  }

  /** Saves unsaved changes, if it was started. @throws Error when the file cannot be written */
  async close(): Promise<void> {
    const wasStarted = this.#started;
    this.#started = false;
    this.#cancel();
    try {
      await this.#writing;
      if (wasStarted) await this.#save();
    } finally {
      await this.#file.close();
    }
  }

  #schedule(pause: number): void {
    if (!this.#started) return;
    this.#cancel = this.#clock.after(pause, () => {
      this.#writing = this.#saveOrWarn().then(() =>
        this.#schedule(Math.max(SAVE_INTERVAL_MS, this.#backOff.delay())),
      );
    });
  }

  async #saveOrWarn(): Promise<void> {
    try {
      await this.#save();
      if (this.#failure !== undefined) this.#reportRecovery();
    } catch (error) {
      this.#failures++;
      this.#failure = error as Error;
      this.#backOff = this.#backOff.next();
      this.#warnPeriodically();
    }
  }

  #reportRecovery(): void {
    this.#failure = undefined;
    this.#backOff = BackOff.none;
    this.#warnedAt = Number.NEGATIVE_INFINITY;
    process.emitWarning(`snapshot file ${this.#file.path} is written again`);
  }

  #warnPeriodically(): void {
    const now = this.#clock.monotonic();
    if (this.#failure === undefined || now - this.#warnedAt < WARNING_INTERVAL_MS) return;
    this.#warnedAt = now;
    const since = new Date(this.#savedAt).toISOString();
    process.emitWarning(`${this.#failure.message}. Changes since ${since} are not saved`);
  }

  async #save(): Promise<void> {
    const begun = this.#clock.now();
    if (this.#state === this.#saved) {
      this.#savedAt = begun;
      return;
    }
    const start = this.#clock.monotonic();
    let captured = { state: "", at: begun };
    await this.#file.write(this.#keySpaces, () => {
      captured = { state: this.#state, at: this.#clock.now() };
    });
    this.#saved = captured.state;
    this.#savedAt = captured.at;
    this.#duration = this.#clock.monotonic() - start;
  }

  get #state(): string {
    return `${this.#keySpaces.keys.index}/${this.#keySpaces.auth.index}`;
  }
}
