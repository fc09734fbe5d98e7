import type { Violation } from "../workload.js";
import {
  CommittedTree,
  type TreeChange,
  type TreeState,
  type TreeWrite,
} from "./committed-tree.js";
import { delay, groupBy, type Typed, violation } from "./history.js";

/** What a watch says about itself: everything up to `index`, and everything before a time, was delivered. */
export interface Progress {
  readonly index: number;
  /** Nanoseconds of the machine's monotonic clock; absent: nothing is proven. */
  readonly currentAt?: number;
}

export type WatchOperation =
  | TreeWrite
  | Typed<"change", undefined, TreeChange>
  | Typed<"resync", undefined, TreeState & { readonly reason: string }>
  | Typed<"progress", undefined, Progress>
  /** `reached` of an index, as the output, after all faults have been healed. */
  | Typed<"reached", undefined, number>
  /** The watch ended with an error. */
  | Typed<"ended", undefined, string>;

/**
 * Each watch delivers the committed changes of the tree once and in order, or a resync with the state that
 * they lead to. What it says about its progress is true.
 */
export function checkWatches(history: readonly WatchOperation[]): Violation[] {
  const writes = history.flatMap((o) => (o.kind === "set" || o.kind === "delete" ? [o] : []));
  const tree = new CommittedTree(writes);
  const taken = history.flatMap((operation) =>
    operation.kind === "change" && operation.outcome === "ok"
      ? tree.takeEvent(operation.output, operation)
      : [],
  );
  const unexplained = tree.complete();
  const clients = groupBy(history, ({ client }) => client);
  const watches = [...clients.values()].flatMap((own) => new WatchCheck(tree, writes).run(own));
  return [...taken, ...unexplained, ...watches];
}

/** Follows the items of one client. */
class WatchCheck {
  readonly #tree: CommittedTree;
  readonly #writes: readonly TreeWrite[];
  /** Index up to which everything was delivered; `undefined` before the first resync. */
  #position: number | undefined;

  constructor(tree: CommittedTree, writes: readonly TreeWrite[]) {
    this.#tree = tree;
    this.#writes = writes;
  }

  run(history: readonly WatchOperation[]): Violation[] {
    return history.flatMap((operation) => {
      if (operation.outcome === "ok") return this.#check(operation);
      return operation.kind === "reached" ? [delay("does not catch up", operation)] : [];
    });
  }

  #check(operation: WatchOperation & { readonly outcome: "ok" }): Violation[] {
    switch (operation.kind) {
      case "change":
        return this.#checkChange(operation.output, operation);
      case "resync":
        return this.#checkResync(operation.output, operation);
      case "progress":
        return this.#checkProgress(operation.output, operation);
      case "reached":
        return this.#checkProgress({ index: operation.output }, operation);
      case "ended":
        return [violation(`the watch has ended: ${operation.output}`, operation)];
      default:
        return [];
    }
  }

  #checkChange({ index }: TreeChange, by: WatchOperation): Violation[] {
    const position = this.#position;
    if (position === undefined) return [violation("a change before the initial state", by)];
    if (index <= position)
      return [violation(`a change of index ${index} after index ${position}`, by)];
    this.#position = index;
    return this.#missing(position, index, by);
  }

  #checkResync(state: TreeState & { readonly reason: string }, by: WatchOperation): Violation[] {
    const position = this.#position ?? 0;
    this.#position = state.index;
    const isBack = state.index < position && state.reason !== "cluster-changed";
    const back = `a resync of index ${state.index} after index ${position}`;
    return [...(isBack ? [violation(back, by)] : []), ...this.#tree.checkState(state, by)];
  }

  #checkProgress({ index, currentAt }: Progress, by: WatchOperation): Violation[] {
    const position = this.#position;
    if (position === undefined) return [];
    this.#position = Math.max(position, index);
    const late = this.#writes.find(
      (write) =>
        write.outcome === "ok" && write.completedAt < (currentAt ?? 0) && write.output > position,
    );
    return [
      ...this.#missing(position, index + 1, by),
      ...(late === undefined
        ? []
        : [violation("a change is missing that is older than currentAt", late, by)]),
    ];
  }

  #missing(after: number, before: number, by: WatchOperation): Violation[] {
    return this.#tree
      .between(after, before)
      .map((change) => violation(`the change of index ${change.index} is missing`, change.by, by));
  }
}
