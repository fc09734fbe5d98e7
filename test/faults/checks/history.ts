import type { Operation, Violation } from "../workload.js";

/** An operation of one kind. Only an `ok` operation has an output. */
export type Typed<Kind extends string, Input, Output> = Operation & {
  readonly kind: Kind;
  readonly input: Input;
} & (
    | { readonly outcome: "ok"; readonly output: Output }
    | { readonly outcome: "failed" | "unknown" }
  );

/** An operation and a number that must not decrease. */
export interface Numbered {
  readonly operation: Operation;
  readonly number: number;
}

/** Whether the first operation ended before the second one began. */
export function precedes(first: Operation, second: Operation): boolean {
  return first.completedAt < second.invokedAt;
}

export function violation(
  message: string,
  first: Operation,
  ...others: readonly Operation[]
): Violation {
  return { workload: first.workload, message, operations: [first, ...others] };
}

/** An operation that did not succeed in its time. */
export function delay(message: string, operation: Operation): Violation {
  return { ...violation(message, operation), isDelay: true };
}

/** Pairs of an operation and a later one that has a smaller number. One pair per later operation. */
export function decreases(numbered: readonly Numbered[]): (readonly [Numbered, Numbered])[] {
  const byEnd = numbered.toSorted((a, b) => a.operation.completedAt - b.operation.completedAt);
  const byStart = numbered.toSorted((a, b) => a.operation.invokedAt - b.operation.invokedAt);
  const found: (readonly [Numbered, Numbered])[] = [];
  let highest: Numbered | undefined;
  let position = 0;
  for (const later of byStart) {
    let ended = byEnd[position];
    while (ended !== undefined && precedes(ended.operation, later.operation)) {
      if (highest === undefined || ended.number > highest.number) highest = ended;
      ended = byEnd[++position];
    }
    if (highest !== undefined && highest.number > later.number) found.push([highest, later]);
  }
  return found;
}

export function groupBy<Item, Key>(
  items: readonly Item[],
  keyOf: (item: Item) => Key,
): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
