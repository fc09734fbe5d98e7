import type { Violation } from "../workload.js";
import { groupBy, precedes, type Typed, violation } from "./history.js";

/** Outputs are the `createdIndex` of the key, or `null` when it does not exist. */
export type TtlOperation =
  | Typed<"create", { readonly ttl: number }, number>
  | Typed<"refresh", { readonly ttl: number }, number | null>
  | Typed<"read", undefined, number | null>
  /** The keys that exist, after all faults have been healed. */
  | Typed<"list", undefined, readonly string[]>
  /** Something may have made every TTL longer. */
  | Typed<"extend", { readonly seconds: number }, null>;

/** Maximum nanoseconds by which wall clocks, which measure TTLs, may differ from the monotonic clock. */
const CLOCK_TOLERANCE_NS = 100e6;
/** Nanoseconds: etcd looks for expired keys every 500 ms, and a loaded machine may take longer. */
const EXPIRY_DELAY_NS = 5e9;

/**
 * A key lives as long as its last acknowledged refresh says. Once it is gone, it stays gone. At the end
 * every key is gone after its TTL and the time that etcd needs.
 */
export function checkTtl(history: readonly TtlOperation[]): Violation[] {
  const keyed = history.filter(({ kind }) => kind !== "list" && kind !== "extend");
  const keys = groupBy(keyed, ({ key }) => key);
  return [...[...keys.values()].flatMap(checkKey), ...checkEnd(history, keys)];
}

function checkKey(operations: readonly TtlOperation[]): Violation[] {
  const found: Violation[] = [];
  const absent = operations.filter(showsAbsent);
  const present = operations.filter((operation) => createdIndexOf(operation) !== undefined);
  const [first] = present;
  for (const operation of present) {
    const before = absent.find((other) => precedes(other, operation));
    if (before !== undefined)
      found.push(violation(`${operation.key} exists again`, before, operation));
    if (first !== undefined && createdIndexOf(first) !== createdIndexOf(operation))
      found.push(violation(`${operation.key} was created again`, first, operation));
  }
  for (const operation of absent) {
    const early = earlyLoss(operation, operations);
    if (early !== undefined) found.push(early);
  }
  return found;
}

function showsAbsent(operation: TtlOperation): boolean {
  return operation.outcome === "ok" && operation.output === null;
}

function createdIndexOf(operation: TtlOperation): number | undefined {
  return operation.outcome === "ok" && typeof operation.output === "number"
    ? operation.output
    : undefined;
}

/** A request with an unknown outcome may be applied late and set the expiry back. */
function earlyLoss(
  absent: TtlOperation,
  operations: readonly TtlOperation[],
): Violation | undefined {
  const earlier = operations.filter(({ invokedAt }) => invokedAt < absent.completedAt);
  if (earlier.some(({ kind, outcome }) => kind !== "read" && outcome === "unknown")) return;
  const extensions = earlier.filter(
    (operation) => ttlOf(operation) !== undefined && precedes(operation, absent),
  );
  const last = extensions.toSorted((a, b) => a.invokedAt - b.invokedAt).at(-1);
  if (last === undefined) return;
  const expiresAt = last.invokedAt + (ttlOf(last) ?? 0) * 1e9;
  const early = expiresAt - absent.completedAt;
  if (early <= CLOCK_TOLERANCE_NS) return;
  const message = `${absent.key} is gone ${Math.round(early / 1e6)} ms before the end of its TTL`;
  return violation(message, last, absent);
}

/** Seconds for which an acknowledged request extended the life of the key. */
function ttlOf(operation: TtlOperation): number | undefined {
  if (operation.kind !== "create" && operation.kind !== "refresh") return undefined;
  return createdIndexOf(operation) === undefined ? undefined : operation.input.ttl;
}

/** A new leader gives leases their full TTL again, so the time counts from the first list. */
function checkEnd(
  history: readonly TtlOperation[],
  keys: ReadonlyMap<string, readonly TtlOperation[]>,
): Violation[] {
  const lists = history.flatMap((list) =>
    list.kind === "list" && list.outcome === "ok" ? [list] : [],
  );
  const [first] = lists;
  const last = lists.at(-1);
  if (first === undefined || last === undefined) return [];
  const extra = history.reduce((all, o) => all + (o.kind === "extend" ? o.input.seconds : 0), 0);
  return last.output.flatMap((key) => {
    const writes = (keys.get(key) ?? []).flatMap((o) =>
      o.kind === "create" || o.kind === "refresh" ? [o] : [],
    );
    const ttl = Math.max(...writes.map(({ input }) => input.ttl));
    const from = Math.max(first.completedAt, ...writes.map(({ completedAt }) => completedAt));
    const late = last.invokedAt - from - (ttl + extra) * 1e9;
    if (late <= EXPIRY_DELAY_NS) return [];
    const message = `${key} still exists ${Math.round(late / 1e6)} ms after its TTL`;
    return [violation(message, last, ...writes.slice(-1))];
  });
}
