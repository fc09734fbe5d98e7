import type { Violation } from "../workload.js";
import { decreases, groupBy, type Numbered, type Typed, violation } from "./history.js";

/** A key in a list. */
export interface Item {
  readonly key: string;
  readonly value: string;
}

export type InOrderOperation =
  /** The output is the key that etcd chose. */
  Typed<"create", string, string> | Typed<"list", undefined, readonly Item[]>;

/** Acknowledged items are listed once, others at most once, and keys increase in the order of creation. */
export function checkInOrder(history: readonly InOrderOperation[]): Violation[] {
  return [...checkLists(history), ...checkKeys(history)];
}

function checkLists(history: readonly InOrderOperation[]): Violation[] {
  const creates = new Map<string, InOrderOperation>();
  for (const create of history) if (create.kind === "create") creates.set(create.input, create);
  return history.flatMap((list) => {
    if (list.kind !== "list" || list.outcome !== "ok") return [];
    const listed = groupBy(list.output, ({ value }) => value);
    return [...checkListed(list, listed, creates), ...checkMissing(list, listed, creates)];
  });
}

function checkListed(
  list: InOrderOperation,
  listed: ReadonlyMap<string, readonly Item[]>,
  creates: ReadonlyMap<string, InOrderOperation>,
): Violation[] {
  const found: Violation[] = [];
  for (const [value, items] of listed) {
    const create = creates.get(value);
    if (create === undefined || create.outcome === "failed")
      found.push(violation(`lists ${value}, which nobody has created`, list));
    else if (items.length > 1)
      found.push(violation(`${value} was created ${items.length} times`, create, list));
  }
  return found;
}

function checkMissing(
  list: InOrderOperation,
  listed: ReadonlyMap<string, readonly Item[]>,
  creates: ReadonlyMap<string, InOrderOperation>,
): Violation[] {
  const found: Violation[] = [];
  for (const [value, create] of creates) {
    if (create.kind !== "create" || create.outcome !== "ok") continue;
    if (create.completedAt > list.invokedAt) continue;
    if (listed.get(value)?.some(({ key }) => key === create.output) !== true)
      found.push(violation(`${value} was created at ${create.output} and is lost`, create, list));
  }
  return found;
}

function checkKeys(history: readonly InOrderOperation[]): Violation[] {
  const numbered: Numbered[] = [];
  for (const operation of history) {
    if (operation.kind !== "create" || operation.outcome !== "ok") continue;
    const name = operation.output.slice(operation.output.lastIndexOf("/") + 1);
    numbered.push({ operation, number: Number(name) });
  }
  return decreases(numbered).map(([before, after]) =>
    violation(
      `key ${after.number} was created after key ${before.number}`,
      before.operation,
      after.operation,
    ),
  );
}
