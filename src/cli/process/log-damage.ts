import { subscribe } from "node:diagnostics_channel";
import type { DamagedRecordError } from "../../errors/v3-errors.js";
import type { Clock } from "../../time/clock.js";

/** Time after which a record that is still damaged is logged again. */
const LOG_INTERVAL_MS = 60_000;
/** Number of records whose last log time is kept. */
const MAX_RECORDS = 1000;

/** Logs damaged records: one line for each record and interval. */
export function logDamage(clock: Clock, print: (line: string) => void): void {
  const loggedAt = new Map<string, number>();
  subscribe("etcdnet:damage", (message) => {
    const { key, message: line } = message as DamagedRecordError;
    const now = clock.monotonic();
    if (now - (loggedAt.get(key) ?? Number.NEGATIVE_INFINITY) < LOG_INTERVAL_MS) return;
    if (loggedAt.size >= MAX_RECORDS) loggedAt.clear();
    loggedAt.set(key, now);
    print(line);
  });
}
