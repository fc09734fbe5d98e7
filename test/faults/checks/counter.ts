import type { Violation } from "../workload.js";
import { precedes, type Typed, violation } from "./history.js";

/** An increment replaces the number `input`, and `read` returns the number. */
export type CounterOperation =
  | Typed<"increment", number, number>
  | Typed<"read", undefined, number>;

/**
 * Every acknowledged increment counts once: two never replace the same number, and a read is between the
 * acknowledged increments before it and the possible ones.
 */
export function checkCounter(history: readonly CounterOperation[]): Violation[] {
  const increments = history.filter(({ kind }) => kind === "increment");
  return [...checkReplaced(history), ...history.flatMap((read) => checkRead(read, increments))];
}

function checkReplaced(history: readonly CounterOperation[]): Violation[] {
  const replaced = new Map<number, CounterOperation>();
  const found: Violation[] = [];
  for (const operation of history) {
    if (operation.kind !== "increment" || operation.outcome !== "ok") continue;
    const first = replaced.get(operation.input);
    if (first === undefined) replaced.set(operation.input, operation);
    else found.push(violation(`two increments of ${operation.input}`, first, operation));
  }
  return found;
}

function checkRead(read: CounterOperation, increments: readonly CounterOperation[]): Violation[] {
  if (read.kind !== "read" || read.outcome !== "ok") return [];
  const certain = increments.filter(
    (increment) => increment.outcome === "ok" && precedes(increment, read),
  );
  const possible = increments.filter(
    ({ outcome, invokedAt }) => outcome !== "failed" && invokedAt <= read.completedAt,
  );
  const { output } = read;
  if (output >= certain.length && output <= possible.length) return [];
  const range = `${certain.length} to ${possible.length}`;
  return [violation(`the counter is ${output}, not ${range}`, read)];
}
