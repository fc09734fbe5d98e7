import type { Violation } from "../workload.js";
import { decreases, groupBy, type Numbered, type Typed, violation } from "./history.js";

/** A file in a response, with its `modifiedIndex`. */
export interface Shown {
  readonly value: string;
  readonly index: number;
}

/** A compare-and-swap. Values are unique, so the condition `index` means the same as `from`. */
export interface Swap {
  readonly from: string;
  readonly index?: number;
  readonly to: string;
}

/** Outputs are the index of a write, or what the key was instead. */
export type RegisterOperation =
  | Typed<"read" | "readLocal", undefined, Shown | null>
  | Typed<"write", string, number>
  | Typed<"cas", Swap, number | "different" | "absent">
  | Typed<"delete", undefined, number | "absent">;

/** The last read of all keys. */
export type RegisterHistory = readonly (
  | RegisterOperation
  | Typed<"list", undefined, Readonly<Record<string, Shown>>>
)[];

/** Operations by key. A list is a read of each key. */
export function registersOf(history: RegisterHistory): Map<string, RegisterOperation[]> {
  const operations: RegisterOperation[] = [];
  for (const operation of history) if (operation.kind !== "list") operations.push(operation);
  const registers = groupBy(operations, ({ key }) => key);
  for (const list of history) {
    if (list.kind !== "list" || list.outcome !== "ok") continue;
    for (const [key, register] of registers) {
      register.push({ ...list, kind: "read", key, output: list.output[key] ?? null });
    }
  }
  return registers;
}

/**
 * No read shows a value that nobody had written, a value has one index, and a linearizable operation
 * does not show an older index than an earlier one did.
 */
export function checkRegisters(history: RegisterHistory): Violation[] {
  return [...registersOf(history).values()].flatMap((register) => [
    ...checkValues(register),
    ...checkOrder(register),
  ]);
}

function checkValues(register: readonly RegisterOperation[]): Violation[] {
  const writes = new Map<string, RegisterOperation>();
  for (const operation of register) {
    const value = writtenValue(operation);
    if (value !== undefined) writes.set(value, operation);
  }
  const found: Violation[] = [];
  const shownBy = new Map<string, { readonly index: number; readonly by: RegisterOperation }>();
  for (const operation of register) {
    const shown = shownBefore(operation);
    if (shown === undefined) continue;
    const { value, index } = shown;
    const write = writes.get(value);
    if (write === undefined || write.outcome === "failed")
      found.push(violation(`shows ${value}, which nobody has written`, operation));
    else if (write.invokedAt > operation.completedAt)
      found.push(violation(`shows ${value} before it was written`, operation, write));
    const first = shownBy.get(value) ?? { index, by: operation };
    shownBy.set(value, first);
    if (first.index === index) continue;
    const text = `${value} has the indexes ${first.index} and ${index}`;
    found.push(violation(text, first.by, operation));
  }
  return found;
}

/** The value that an operation may have written, unless a condition was not met. */
function writtenValue(operation: RegisterOperation): string | undefined {
  if (operation.kind === "write") return operation.input;
  if (operation.kind !== "cas") return undefined;
  return operation.outcome === "ok" && typeof operation.output === "string"
    ? undefined
    : operation.input.to;
}

/** The value of the key, with its index, that a response proves. */
function shownBefore(operation: RegisterOperation): Shown | undefined {
  if (operation.outcome !== "ok") return undefined;
  switch (operation.kind) {
    case "read":
    case "readLocal":
      return operation.output ?? undefined;
    case "write":
      return { value: operation.input, index: operation.output };
    case "cas":
      return typeof operation.output === "number"
        ? { value: operation.input.to, index: operation.output }
        : undefined;
    case "delete":
      return undefined;
  }
}

function checkOrder(register: readonly RegisterOperation[]): Violation[] {
  const numbered: Numbered[] = [];
  for (const operation of register) {
    const number = indexOf(operation);
    if (number !== undefined) numbered.push({ operation, number });
  }
  return decreases(numbered).map(([before, after]) =>
    violation(
      `index ${after.number} after index ${before.number}`,
      before.operation,
      after.operation,
    ),
  );
}

function indexOf(operation: RegisterOperation): number | undefined {
  if (operation.kind === "readLocal" || operation.outcome !== "ok") return undefined;
  if (operation.kind === "read") return operation.output?.index;
  return typeof operation.output === "number" ? operation.output : undefined;
}
