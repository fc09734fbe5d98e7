import type { Operation } from "./workload.js";

/**
 * A history without what depends on the indexes of keys, because keys got other indexes: each key of the workload `ttl`
 * exists or not, and leaders and mirrors are not compared with those before.
 *
 * @param from monotonic time after which keys can have other indexes
 */
export function withoutIndexes(history: readonly Operation[], from: number): readonly Operation[] {
  return history.flatMap((operation) => {
    const { workload, kind, output, completedAt } = operation;
    if (workload === "ttl" && typeof output === "number") return { ...operation, output: 1 };
    if (completedAt >= from && workload === "watch" && kind === "resync") {
      return { ...operation, output: { ...(output as object), isReindexed: true } };
    }
    return completedAt >= from && COMPARED.has(`${workload} ${kind}`) ? [] : operation;
  });
}

const COMPARED = new Set(["election readLeader", "mirror view", "mirror list"]);
