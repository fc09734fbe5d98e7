import type { Clock } from "../../time/clock.js";
import { type LogOutput, standardError } from "./log-output.js";
import { type LogFields, type LogFormat, type LogRecord, lineOf } from "./log-text.js";
import { RepeatLimit } from "./repeat-limit.js";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly clock: Clock;
  /** @default standard error */
  readonly output?: ((onFlow: (dropped: number) => void) => LogOutput) | undefined;
}

/**
 * The log of a server: one line per call, with a fixed message and fields. Texts from outside belong into
 * fields; they are escaped and cut. Lines of `info` and above that repeat within a minute are counted.
 */
export class Logger {
  readonly #level: number;
  readonly #format: LogFormat;
  readonly #clock: Clock;
  readonly #output: LogOutput;
  readonly #repeats: RepeatLimit;

  constructor({ level, format, clock, output = standardError }: LoggerOptions) {
    this.#level = LOG_LEVELS.indexOf(level);
    this.#format = format;
    this.#clock = clock;
    this.#repeats = new RepeatLimit(clock);
    this.#output = output((dropped) => this.#write("warn", "log lines were dropped", { dropped }));
  }

  debug(message: string, fields: LogFields = {}): void {
    this.#write("debug", message, fields);
  }

  info(message: string, fields: LogFields = {}): void {
    this.#limited("info", message, fields);
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#limited("warn", message, fields);
  }

  error(message: string, fields: LogFields = {}): void {
    this.#limited("error", message, fields);
  }

  /** A line of the access log. It has level `info`, whatever the level of the log is, and repeats. */
  access(message: string, fields: LogFields): void {
    this.#emit({ time: new Date(this.#clock.now()), level: "info", message, fields });
  }

  /** Writes what is still counted, and gives the reader of the log a moment. */
  async close(): Promise<void> {
    this.#repeats.end();
    await this.#output.flush(CLOSE_TIMEOUT_MS);
  }

  #limited(level: LogLevel, message: string, fields: LogFields): void {
    const texts = Object.values(fields).filter((value) => typeof value !== "number");
    const again = (repeated: number): void => this.#write(level, message, { ...fields, repeated });
    if (this.#repeats.admits(JSON.stringify([level, message, texts]), again))
      this.#write(level, message, fields);
  }

  #write(level: LogLevel, message: string, fields: LogFields): void {
    if (LOG_LEVELS.indexOf(level) < this.#level) return;
    this.#emit({ time: new Date(this.#clock.now()), level, message, fields });
  }

  #emit(record: LogRecord): void {
    this.#output.write(lineOf(record, this.#format));
  }
}

/** Time that the reader of the log has at the end. */
const CLOSE_TIMEOUT_MS = 500;
