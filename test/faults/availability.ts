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
  /** Number of operations with an unknown outcome. */
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
/** Kinds that are one request. Others wait on purpose, such as `acquire`. */
const WRITE = /^(?:write|set|create|update|delete|cas|refresh|increment|enqueue)$/;
/** A refusal of the key space is a usable response, e.g. when a comparison fails. */
const REFUSED = /\[etcd error 1\d\d\]/;

/** One row per nemesis. What began while several were active counts for each of them. */
export function availabilityOf(
  history: readonly Operation[],
  active: readonly ActiveTime[],
): readonly Availability[] {
  const operations = history.filter(({ kind }) => READ.test(kind) || WRITE.test(kind));
  const names = [...new Set(active.map(({ nemesis }) => nemesis))].sort();
  const gaps = gapsOf(operations);
  return names.map((nemesis) => {
    const times = active.filter((time) => time.nemesis === nemesis);
    const hasBegun = ({ invokedAt }: { readonly invokedAt: number }): boolean =>
      times.some(({ from, to }) => invokedAt >= from && invokedAt <= to);
    const during = operations.filter(hasBegun);
    const lengths = gaps.filter(hasBegun).map(({ invokedAt, endedAt }) => endedAt - invokedAt);
    return {
      nemesis,
      turns: times.length,
      reads: shareOf(during.filter(({ kind }) => READ.test(kind))),
      writes: shareOf(during.filter(({ kind }) => WRITE.test(kind))),
      unknown: during.filter(({ outcome }) => outcome === "unknown").length,
      longestGapMs: lengths.reduce((longest, length) => Math.max(longest, length), 0) / 1e6,
    };
  });
}

/** Clients that had no success in a time, which is in nanoseconds of the machine's monotonic clock. */
export function clientsWithoutSuccess(
  history: readonly Operation[],
  { from, to }: Pick<ActiveTime, "from" | "to">,
): readonly number[] {
  const requests = history.filter(({ kind }) => READ.test(kind) || WRITE.test(kind));
  const clients = new Set(requests.map(({ client }) => client));
  for (const operation of requests) {
    const isWithin = operation.invokedAt >= from && operation.completedAt <= to;
    if (isWithin && isSuccess(operation)) clients.delete(operation.client);
  }
  return [...clients];
}

interface Gap {
  /** When the first operation after a success began. */
  readonly invokedAt: number;
  /** When the next success of the same client completed. */
  readonly endedAt: number;
}

function gapsOf(operations: readonly Operation[]): readonly Gap[] {
  const clients = [...new Set(operations.map(({ client }) => client))];
  return clients.flatMap((client) => {
    const own = operations.filter((operation) => operation.client === client);
    const successes = own.filter(isSuccess).map(({ completedAt }) => completedAt);
    const begins = own.map(({ invokedAt }) => invokedAt).sort((a, b) => a - b);
    let next = 0;
    return successes.flatMap((endedAt, at) => {
      const before = successes[at - 1] ?? 0;
      while ((begins[next] ?? Infinity) <= before) next++;
      const invokedAt = begins[next] ?? Infinity;
      return invokedAt < endedAt ? [{ invokedAt, endedAt }] : [];
    });
  });
}

function isSuccess({ outcome, error = "" }: Operation): boolean {
  return outcome === "ok" || REFUSED.test(error);
}

function shareOf(operations: readonly Operation[]): Share {
  return { all: operations.length, succeeded: operations.filter(isSuccess).length };
}

/** The rows as a Markdown table. */
export function tableOf(rows: readonly AvailabilityRow[]): string {
  const head = ["system", "nemesis", "times", "reads", "writes", "unknown", "longest gap"];
  const lines = rows.map(({ system, nemesis, turns, reads, writes, unknown, longestGapMs }) => [
    system,
    `\`${nemesis}\``,
    String(turns),
    percent(reads),
    percent(writes),
    String(unknown),
    `${(longestGapMs / 1_000).toFixed(1)} s`,
  ]);
  const separator = head.map((_, column) => (column < 2 ? "---" : "---:"));
  return [head, separator, ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function percent({ all, succeeded }: Share): string {
  return all === 0 ? "–" : `${((100 * succeeded) / all).toFixed(1)} % of ${all}`;
}
