import { BackOff } from "../../time/back-off.js";
import type { Clock } from "../../time/clock.js";
import type { MetricFamily } from "../metrics/prometheus-text.js";
import type { SnapshotFile } from "./snapshot-file.js";
import type { KeySpaces } from "./snapshot-writer.js";

/** Milliseconds between the end of a look for changes and the next one. */
const INTERVAL = 1_000;
/** Milliseconds between two warnings of the same trouble. */
const REMINDER = 60_000;

/**
 * Writes a snapshot when something has changed: at the start, now and then and at the end. While that
 * fails it is tried again after a growing pause, the server is unhealthy, and the process is warned
 * each minute.
 */
export class SnapshotKeeper {
  readonly #file: SnapshotFile;
  readonly #keySpaces: KeySpaces;
  readonly #clock: Clock;
  /** What the file holds; nothing when there is none. */
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

  /** Why nothing can be saved at the moment; nothing when all is well. */
  get problem(): string | undefined {
    return this.#failure?.message;
  }

  /** What `/metrics` shows of it. */
  metrics(): readonly MetricFamily[] {
    return [
      family("failures_total", "counter", "Attempts to save that failed.", this.#failures),
      family(
        "saved_timestamp_seconds",
        "gauge",
        "Moment up to which everything is saved, in seconds since 1970.",
        this.#savedAt / 1000,
      ),
      family(
        "save_duration_seconds",
        "gauge",
        "Time that the last save took, in seconds.",
        this.#duration / 1000,
      ),
    ];
  }

  /** Keeps the file from now on. @throws Error when it cannot be written */
  async start(): Promise<void> {
    await this.#save();
    this.#started = true;
    this.#schedule(INTERVAL);
  }

  /** Writes what is not written yet, if it was started. @throws Error when that fails */
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
        this.#schedule(Math.max(INTERVAL, this.#backOff.delay())),
      );
    });
  }

  async #saveOrWarn(): Promise<void> {
    try {
      await this.#save();
      if (this.#failure !== undefined) this.#tellRecovery();
    } catch (error) {
      this.#failures++;
      this.#failure = error as Error;
      this.#backOff = this.#backOff.next();
      this.#warnNowAndThen();
    }
  }

  #tellRecovery(): void {
    this.#failure = undefined;
    this.#backOff = BackOff.none;
    this.#warnedAt = Number.NEGATIVE_INFINITY;
    process.emitWarning(`snapshot file ${this.#file.path} is written again`);
  }

  #warnNowAndThen(): void {
    const now = this.#clock.monotonic();
    if (this.#failure === undefined || now - this.#warnedAt < REMINDER) return;
    this.#warnedAt = now;
    const since = new Date(this.#savedAt).toISOString();
    process.emitWarning(`${this.#failure.message}. What was written since ${since} is not saved`);
  }

  async #save(): Promise<void> {
    const begun = this.#clock.now();
    if (this.#state === this.#saved) {
      this.#savedAt = begun;
      return;
    }
    const start = this.#clock.monotonic();
    let moment = { state: "", at: begun };
    await this.#file.write(this.#keySpaces, () => {
      moment = { state: this.#state, at: this.#clock.now() };
    });
    this.#saved = moment.state;
    this.#savedAt = moment.at;
    this.#duration = this.#clock.monotonic() - start;
  }

  get #state(): string {
    return `${this.#keySpaces.keys.index}/${this.#keySpaces.auth.index}`;
  }
}

function family(
  name: string,
  type: "gauge" | "counter",
  help: string,
  value: number,
): MetricFamily {
  return { name: `etcdnet_snapshot_${name}`, type, help, samples: [{ value }] };
}
