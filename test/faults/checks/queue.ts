import type { Violation } from "../workload.js";
import { checkExclusion, type Proof } from "./exclusion.js";
import { groupBy, type Typed, violation } from "./history.js";
import type { Item } from "./in-order.js";

/** An item that a client has taken. `claim` is unique for each `take`. */
interface Taken extends Item {
  readonly claim: string;
}

export type QueueOperation =
  /** The output is the key of the item. */
  | Typed<"enqueue", string, string>
  | Typed<"take", undefined, Taken>
  /** With the key of an item: its claim is proven, or it was done. */
  | Typed<"hold" | "acknowledge", string, undefined>
  /** The items at the end. */
  | Typed<"list", undefined, readonly Item[]>;

/**
 * Each acknowledged `enqueue` adds one item, which stays until a consumer acknowledges it. An item has one
 * consumer at a time, as far as consumers prove their claim, and is done once.
 */
export function checkQueue(history: readonly QueueOperation[]): Violation[] {
  return [
    ...checkItems(history),
    ...checkRemaining(history),
    ...checkExclusion(proofsOf(history)),
    ...checkDoneOnce(history),
  ];
}

/** Every item that was seen was enqueued, and once. */
function checkItems(history: readonly QueueOperation[]): Violation[] {
  const enqueued = new Map<string, QueueOperation>();
  for (const operation of history)
    if (operation.kind === "enqueue" && operation.outcome !== "failed")
      enqueued.set(operation.input, operation);
  const found: Violation[] = [];
  const keys = new Map<string, string>();
  for (const operation of history) {
    for (const { key, value } of itemsOf(operation)) {
      const enqueue = enqueued.get(value);
      const firstKey = keys.get(value) ?? key;
      keys.set(value, firstKey);
      if (enqueue === undefined)
        found.push(violation(`${value} was taken and never enqueued`, operation));
      else if (key !== firstKey)
        found.push(violation(`${value} is at ${firstKey} and ${key}`, enqueue, operation));
    }
  }
  return found;
}

function itemsOf(operation: QueueOperation): readonly Item[] {
  if (operation.outcome !== "ok") return [];
  switch (operation.kind) {
    case "enqueue":
      return [{ key: operation.output, value: operation.input }];
    case "take":
      return [operation.output];
    case "list":
      return operation.output;
    default:
      return [];
  }
}

function checkRemaining(history: readonly QueueOperation[]): Violation[] {
  const acknowledged = groupBy(
    history.filter(({ kind, outcome }) => kind === "acknowledge" && outcome !== "failed"),
    ({ key }) => key,
  );
  return history.flatMap((list) => {
    if (list.kind !== "list" || list.outcome !== "ok") return [];
    const remaining = new Set(list.output.map(({ key }) => key));
    const lost = history.flatMap((enqueue) => {
      if (enqueue.kind !== "enqueue" || enqueue.outcome !== "ok") return [];
      const key = enqueue.output;
      if (remaining.has(key) || acknowledged.has(key)) return [];
      return [violation(`the item ${key} is lost`, enqueue, list)];
    });
    const returned = [...acknowledged.values()].flat().filter(({ key, outcome }) => {
      return outcome === "ok" && remaining.has(key);
    });
    return [
      ...lost,
      ...returned.map((done) => violation(`${done.key} is done and remains`, done, list)),
    ];
  });
}

function proofsOf(history: readonly QueueOperation[]): Proof[] {
  return history.flatMap((operation) => {
    const isProof = operation.kind === "hold" || operation.kind === "acknowledge";
    return isProof && operation.outcome === "ok" ? [{ operation, owner: operation.input }] : [];
  });
}

function checkDoneOnce(history: readonly QueueOperation[]): Violation[] {
  const done = history.filter(({ kind, outcome }) => kind === "acknowledge" && outcome === "ok");
  return [...groupBy(done, ({ key }) => key).values()].flatMap(([first, second]) =>
    first === undefined || second === undefined
      ? []
      : [violation(`${first.key} was done twice`, first, second)],
  );
}
