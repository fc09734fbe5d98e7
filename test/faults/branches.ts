import { violation } from "./checks/history.js";
import type { Operation, Violation } from "./workload.js";

/** A restore of the cluster from a snapshot. Times are nanoseconds of the machine's monotonic clock. */
export interface Restore {
  /** The snapshot has the state of a moment between these. */
  readonly snapshotFrom: number;
  readonly snapshotTo: number;
  /** Index at `snapshotTo`. The index of the snapshot is not greater. */
  readonly index: number;
  /** The former members respond to nothing after this. */
  readonly stoppedAt: number;
  /** Until then, clients must have noticed the restore. */
  readonly noticedUntil: number;
}

/** Operations that tell what etcd has responded. All others change something. */
const READS = /^(?:read|readLocal|readLeader|list|change|resync|progress|view|observed)$/;
/** Operations whose result comes from the state of the client. */
const LOCAL = /^(?:readLocal|hold|observed)$/;
/** What a watch or a mirror reports at one moment. */
const FOLLOWED = /^(?:change|resync|progress|view)$/;

/**
 * The histories of the stores that the restores have made of one: each of a store that never went back. A restored
 * store does not have what happened between its snapshot and the restore. The last one is that of the final store.
 */
export function branchesOf(
  history: readonly Operation[],
  restores: readonly Restore[],
): readonly (readonly Operation[])[] {
  const [restore, ...later] = restores;
  if (restore === undefined) return [history];
  return [untilStop(history, restore), ...branchesOf(survivors(history, restore), later)];
}

function untilStop(history: readonly Operation[], { stoppedAt }: Restore): readonly Operation[] {
  return history
    .filter(({ invokedAt }) => invokedAt <= stoppedAt)
    .flatMap((operation) =>
      operation.completedAt <= stoppedAt ? operation : uncertain(operation),
    );
}

function survivors(history: readonly Operation[], restore: Restore): readonly Operation[] {
  const { snapshotFrom, stoppedAt, noticedUntil } = restore;
  return history.flatMap((operation) => {
    const { kind, invokedAt, completedAt } = operation;
    if (completedAt < snapshotFrom) return operation;
    if (isLost(operation, restore)) return [];
    if (invokedAt <= stoppedAt) return uncertain(operation);
    if (FOLLOWED.test(kind)) {
      const notice = noticeOf(operation, history, restore);
      return notice !== undefined && completedAt >= notice.completedAt ? operation : [];
    }
    return LOCAL.test(kind) && invokedAt <= noticedUntil ? uncertain(operation) : operation;
  });
}

/** Whether only the former members have executed it, after the snapshot. */
function isLost(operation: Operation, { snapshotTo, stoppedAt }: Restore): boolean {
  const { outcome, invokedAt, completedAt } = operation;
  return outcome === "ok" && invokedAt > snapshotTo && completedAt <= stoppedAt;
}

/** An operation that the store may have executed or not. */
function uncertain(operation: Operation): Operation[] {
  if (operation.outcome !== "ok") return [operation];
  if (READS.test(operation.kind)) return [];
  const { output: _, ...rest } = operation;
  return [{ ...rest, outcome: "unknown" }];
}

/**
 * The resync that tells the client of an operation, in the same workload, of the restore. A watch that is opened
 * without an index begins with `initial`.
 */
function noticeOf(
  { workload, client }: Operation,
  history: readonly Operation[],
  { stoppedAt }: Restore,
): Operation | undefined {
  return history.find(
    (each) =>
      each.kind === "resync" &&
      each.workload === workload &&
      each.client === client &&
      each.completedAt > stoppedAt &&
      /^(?:cluster-changed|initial)$/.test((each.output as { readonly reason: string }).reason),
  );
}

/** Watches and mirrors that have not told of a restore, and owners that still assert what it has taken from them. */
export function checkNoticed(
  history: readonly Operation[],
  restores: readonly Restore[],
): Violation[] {
  return restores.flatMap((restore) => [
    ...checkFollowers(history, restore),
    ...checkOwners(history, restore),
  ]);
}

function checkFollowers(history: readonly Operation[], restore: Restore): Violation[] {
  const { stoppedAt, noticedUntil, index } = restore;
  const lastSeen = new Map<string, Operation>();
  for (const operation of history) {
    const { kind, workload, client, completedAt } = operation;
    if (FOLLOWED.test(kind) && completedAt <= stoppedAt)
      lastSeen.set(`${workload} ${client}`, operation);
  }
  return [...lastSeen.values()].flatMap((last) => {
    if ((last.output as { readonly index: number }).index <= index) return [];
    const notice = noticeOf(last, history, restore);
    if (notice !== undefined && notice.completedAt <= noticedUntil) return [];
    return [violation(`client ${last.client} has not noticed the restore`, last)];
  });
}

function checkOwners(history: readonly Operation[], restore: Restore): Violation[] {
  const acquired = history.filter(
    ({ kind, outcome }) => outcome === "ok" && /^(?:acquire|campaign)$/.test(kind),
  );
  return history.flatMap((hold) => {
    if (hold.kind !== "hold" || hold.outcome !== "ok" || hold.invokedAt <= restore.noticedUntil)
      return [];
    const own = acquired.filter(({ key, output }) => key === hold.key && output === hold.input);
    const [first] = own;
    if (first === undefined || !own.every((each) => isLost(each, restore))) return [];
    return [violation("asserts an ownership that the restore has removed", first, hold)];
  });
}
