import { type Command, Option } from "commander";
import { systemClock } from "../../time/clock.js";
import { parseDuration } from "../options/duration.js";
import { logEvents } from "./log-events.js";
import type { LogFormat } from "./log-text.js";
import { LOG_LEVELS, Logger, type LogLevel } from "./logger.js";

/** Options of the log of a server. */
export interface LogOptions {
  readonly logFormat: LogFormat;
  readonly logLevel: LogLevel;
  readonly accessLog?: boolean;
  /** In milliseconds. */
  readonly slowRequest: number;
}

export function addLogOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--log-format <format>", "format of the log on standard error")
        .choices(["text", "json"])
        .default("text"),
    )
    .addOption(
      new Option("--log-level <level>", "least level of the lines to log")
        .choices(LOG_LEVELS)
        .default("info"),
    )
    .option("--access-log", "log every request, without values and passwords")
    .addOption(
      new Option(
        "--slow-request <duration>",
        "log requests whose response takes this time to begin; 0s: none",
      )
        .argParser(parseDuration)
        .default(1_000, "1s"),
    );
}

/** Opens the log of this process, and logs what its servers publish. */
export function openLog({ logFormat, logLevel, accessLog, slowRequest }: LogOptions): Logger {
  const log = new Logger({ format: logFormat, level: logLevel, clock: systemClock });
  logEvents(log, { access: accessLog === true, slow: slowRequest });
  return log;
}
