import type { EtcdClient } from "../../client/etcd-client.js";
import { EtcdServerError } from "../../errors/server-error.js";
import type { KeyRequest } from "../../model/key-request.js";
import { forEachConcurrent } from "../../transfer/source/for-each-concurrent.js";
import type { ApplyPlan, Change } from "./apply-plan.js";

const CONCURRENCY = 16;

/**
 * etcd's errors when a node is not as it was read: key not found, compare failed, not a file, not a
 * directory, key already exists, directory not empty.
 */
const CONFLICTS: ReadonlySet<number> = new Set([100, 101, 102, 104, 105, 108]);

export interface ApplyEvents {
  readonly onWritten: (change: Change) => void;
  /** A node changed since it was read. It is left as it is. */
  readonly onConflict: (change: Change, error: EtcdServerError) => void;
  /** The write whose error ends the command. */
  readonly onFailure: (change: Change) => void;
}

/**
 * Executes a plan. Every write has the condition that its node is as it was read, so nobody's change is
 * overwritten.
 *
 * @throws EtcdError for the first write that fails for another reason, after the running ones have ended
 */
export async function applyChanges(
  etcd: EtcdClient,
  { conversions, writes, removals }: ApplyPlan,
  { onWritten, onConflict, onFailure }: ApplyEvents,
): Promise<void> {
  const write = async (change: Change): Promise<void> => {
    try {
      await etcd.execute({ ...requestOf(change), noValueOnSuccess: true } as KeyRequest);
      onWritten(change);
    } catch (error) {
      if (isConflict(error)) return onConflict(change, error);
      onFailure(change);
      throw error;
    }
  };
  await removeAll(conversions, write);
  await forEachConcurrent(writes, CONCURRENCY, write);
  await removeAll(removals, write);
}

/** Files may go at the same time. A directory goes after what is below it. */
async function removeAll(
  removals: readonly Change[],
  write: (change: Change) => Promise<void>,
): Promise<void> {
  const isDirectory = (change: Change): boolean =>
    change.kind === "remove" && change.before.dir === true;
  await forEachConcurrent(
    removals.filter((change) => !isDirectory(change)),
    CONCURRENCY,
    write,
  );
  for (const change of removals.filter(isDirectory)) await write(change);
}

export function isConflict(error: unknown): error is EtcdServerError {
  return error instanceof EtcdServerError && CONFLICTS.has(error.errorCode);
}

function requestOf(change: Change): KeyRequest {
  switch (change.kind) {
    case "create": {
      const { key, value } = change.wanted;
      return value === undefined
        ? { action: "create", key, dir: true }
        : { action: "create", key, value };
    }
    case "change": {
      const { key, ttl, modifiedIndex: prevIndex } = change.before;
      const { value = "" } = change.wanted;
      return { action: "compareAndSwap", key, value, prevIndex, ...remainingLife(ttl) };
    }
    case "remove": {
      const { key, dir, modifiedIndex: prevIndex } = change.before;
      // Without `recursive`, etcd refuses to remove what was added since.
      return dir
        ? { action: "delete", key, dir: true }
        : { action: "compareAndDelete", key, prevIndex };
    }
  }
}

/** Keeps the TTL of a changed file: a write without one would let it live for ever. */
export function remainingLife(ttl: number | undefined): { readonly ttl?: number } {
  return ttl === undefined ? {} : { ttl: Math.max(1, ttl) };
}
