import type { Operation, Violation } from "../workload.js";
import { CommittedTree, type TreeState, type TreeWrite } from "./committed-tree.js";
import { delay, groupBy, type Typed, violation } from "./history.js";
import type { Progress } from "./watch.js";

export type MirrorOperation =
  | TreeWrite
  /** The mirror at one moment. */
  | Typed<"view", undefined, TreeState & Progress>
  /** `waitFor` of an index, as the output, after all faults have been healed. */
  | Typed<"waitFor", undefined, number>
  /** A `resync` event. */
  | Typed<"resync", undefined, { readonly reason: string; readonly index: number }>
  /** An `error` event. */
  | Typed<"error", undefined, string>
  /** A linearizable read of the tree. */
  | Typed<"list", undefined, TreeState>;

/**
 * At its index, the mirror is what the committed writes lead to. The index does not decrease, and is at
 * least that of every write before `currentAt`. Two states of one index are equal.
 */
export function checkMirrors(history: readonly MirrorOperation[]): Violation[] {
  const writes = history.flatMap((o) => (o.kind === "set" || o.kind === "delete" ? [o] : []));
  const tree = new CommittedTree(writes);
  const unexplained = tree.complete();
  const states = history.flatMap(statesOf);
  const clients = groupBy(history, ({ client }) => client);
  return [
    ...unexplained,
    ...states.flatMap(({ state, by }) => tree.checkState(state, by)),
    ...checkEqual(states),
    ...history.flatMap(checkLiveness),
    ...[...clients.values()].flatMap((own) => checkIndexes(own, writes)),
  ];
}

interface Seen {
  readonly state: TreeState;
  readonly by: Operation;
}

function statesOf(operation: MirrorOperation): Seen[] {
  const isState = operation.kind === "view" || operation.kind === "list";
  return isState && operation.outcome === "ok" ? [{ state: operation.output, by: operation }] : [];
}

function checkLiveness(operation: MirrorOperation): Violation[] {
  if (operation.kind === "error" && operation.outcome === "ok")
    return [violation(`a mirror failed: ${operation.output}`, operation)];
  const isLate = operation.kind === "waitFor" && operation.outcome !== "ok";
  return isLate ? [delay("does not catch up", operation)] : [];
}

function checkEqual(states: readonly Seen[]): Violation[] {
  return [...groupBy(states, ({ state }) => state.index).values()].flatMap(([first, ...others]) =>
    others
      .filter(({ state }) => textOf(state) !== (first && textOf(first.state)))
      .map(({ state, by }) =>
        violation(`two different states of index ${state.index}`, by, ...(first ? [first.by] : [])),
      ),
  );
}

function textOf({ files }: TreeState): string {
  return files
    .map(({ key, value, index }) => `${key} ${value} ${index}`)
    .toSorted()
    .join("\n");
}

/** Views of one mirror, in the order of time. */
function checkIndexes(
  history: readonly MirrorOperation[],
  writes: readonly TreeWrite[],
): Violation[] {
  const found: Violation[] = [];
  let least: { readonly index: number; readonly by: MirrorOperation } | undefined;
  for (const operation of history) {
    if (operation.outcome !== "ok") continue;
    if (operation.kind === "waitFor") {
      if (operation.output > (least?.index ?? 0))
        least = { index: operation.output, by: operation };
    }
    if (operation.kind !== "view") continue;
    const { index, currentAt = 0 } = operation.output;
    if (least !== undefined && index < least.index)
      found.push(violation(`index ${index} after index ${least.index}`, least.by, operation));
    least = { index, by: operation };
    const late = writes.find(
      (write) => write.outcome === "ok" && write.completedAt < currentAt && write.output > index,
    );
    if (late !== undefined)
      found.push(violation("a write is missing that is older than staleFor", late, operation));
  }
  return found;
}
