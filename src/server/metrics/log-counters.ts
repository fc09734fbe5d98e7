import { type MetricFamily, metric } from "./prometheus-text.js";

/** Counts of the log of this process. The command line writes them. */
export const logCounters = { droppedLines: 0, slowRequests: 0 };

export function logFamilies(): readonly MetricFamily[] {
  const { droppedLines, slowRequests } = logCounters;
  return [
    metric(
      "etcdnet_log_lines_dropped_total",
      "counter",
      "Log lines that nobody read in time, or that could not be written.",
      droppedLines,
    ),
    metric(
      "etcdnet_slow_requests_total",
      "counter",
      "Requests whose response began later than --slow-request.",
      slowRequests,
    ),
  ];
}
