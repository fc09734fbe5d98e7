import type { Operation } from "./workload.js";

/** The time in which a nemesis was active, in nanoseconds of the machine's monotonic clock. */
export interface ActiveTime {
  readonly nemesis: string;
  readonly from: number;
  readonly to: number;
}

/** What clients experienced while one nemesis was active. */
export interface Availability {
  readonly nemesis: string;
  readonly turns: number;
  readonly reads: Share;
  readonly writes: Share;
  readonly unknown: number;
  /** Longest time in which a client had no success, in ms. */
  readonly longestGapMs: number;
}

export interface AvailabilityRow extends Availability {
  readonly system: string;
}

interface Share {
  readonly all: number;
  readonly succeeded: number;
}

const READ = /^(?:read|list)/;
/** etcd's own errors: the request was processed and refused, e.g. because a comparison failed. */
const REFUSED = /\[etcd error 1\d\d\]/;

/** One row per nemesis, in the order of their first use. */
export function availabilityOf(
  history: readonly Operation[],
  active: readonly ActiveTime[],
): readonly Availability[] {
  const operations = history.filter((each) => each.completedAt > each.invokedAt);
  const names = [...new Set(active.map(({ nemesis }) => nemesis))];
  const gaps = gapsOf(operations);
  return names.map((nemesis) => {
    const times = active.filter((time) => time.nemesis === nemesis);
    const isDuring = (each: Gap): boolean =>
      times.some(({ from, to }) => each.completedAt >= from && each.invokedAt <= to);
    const during = operations.filter(isDuring);
    return {
      nemesis,
      turns: times.length,
      reads: shareOf(during.filter(({ kind }) => READ.test(kind))),
      writes: shareOf(during.filter(({ kind }) => !READ.test(kind))),
      unknown: during.filter(({ outcome }) => outcome === "unknown").length,
      longestGapMs: Math.max(0, ...gaps.filter(isDuring).map(lengthMs)),
    };
  });
}

type Gap = Pick<Operation, "invokedAt" | "completedAt">;

/** The times between two successes of the same client. */
function gapsOf(operations: readonly Operation[]): readonly Gap[] {
  const last = new Map<number, number>();
  return operations.filter(isSuccess).flatMap(({ client, completedAt }) => {
    const before = last.get(client);
    last.set(client, completedAt);
    return before === undefined ? [] : [{ invokedAt: before, completedAt }];
  });
}

function isSuccess({ outcome, error = "" }: Operation): boolean {
  return outcome === "ok" || REFUSED.test(error);
}

function shareOf(operations: readonly Operation[]): Share {
  return { all: operations.length, succeeded: operations.filter(isSuccess).length };
}

function lengthMs({ invokedAt, completedAt }: Gap): number {
  return (completedAt - invokedAt) / 1e6;
}

/** The rows as a Markdown table. */
export function tableOf(rows: readonly AvailabilityRow[]): string {
  const head = ["system", "nemesis", "times", "reads", "writes", "unknown writes", "longest gap"];
  const lines = rows.map((row) => [
    row.system,
    `\`${row.nemesis}\``,
    String(row.turns),
    percent(row.reads),
    percent(row.writes),
    String(row.unknown),
    `${(row.longestGapMs / 1000).toFixed(1)} s`,
  ]);
  const separator = head.map((_, column) => (column < 2 ? "---" : "---:"));
  return [head, separator, ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function percent({ all, succeeded }: Share): string {
  return all === 0 ? "–" : `${((100 * succeeded) / all).toFixed(1)} % of ${all}`;
}
