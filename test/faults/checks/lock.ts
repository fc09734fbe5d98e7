import type { Violation } from "../workload.js";
import { checkExclusion, type Proof } from "./exclusion.js";
import { decreases, groupBy, type Numbered, type Typed, violation } from "./history.js";

export type LockOperation =
  /** The output is the fencing token. */
  | Typed<"acquire", undefined, number>
  /** A successful `assertHeld` of the holder of a token. */
  | Typed<"hold", number, undefined>
  /** A write to the guarded resource with a token. The output is its index, if it was accepted. */
  | Typed<"write", number, number | "refused">;

/**
 * Each acquisition has its own token, tokens increase, holders do not overlap as far as they assert to
 * hold, and the resource accepts no token after a greater one.
 */
export function checkLock(history: readonly LockOperation[]): Violation[] {
  return [
    ...checkTokens(history),
    ...checkExclusion(proofsOf(history)),
    ...checkFencedWrites(history),
  ];
}

function checkTokens(history: readonly LockOperation[]): Violation[] {
  const acquired: Numbered[] = [];
  for (const operation of history) {
    if (operation.kind === "acquire" && operation.outcome === "ok")
      acquired.push({ operation, number: operation.output });
  }
  const repeated = [...groupBy(acquired, ({ number }) => number).values()].filter(
    ({ length }) => length > 1,
  );
  return [
    ...repeated.flatMap(([first, second]) =>
      first === undefined || second === undefined
        ? []
        : [violation(`two have token ${first.number}`, first.operation, second.operation)],
    ),
    ...decreases(acquired).map(([before, after]) =>
      violation(
        `token ${after.number} after token ${before.number}`,
        before.operation,
        after.operation,
      ),
    ),
  ];
}

function proofsOf(history: readonly LockOperation[]): Proof[] {
  return history.flatMap((operation) =>
    operation.kind === "hold" && operation.outcome === "ok"
      ? [{ operation, owner: `token ${operation.input}` }]
      : [],
  );
}

function checkFencedWrites(history: readonly LockOperation[]): Violation[] {
  const accepted: {
    readonly write: LockOperation;
    readonly token: number;
    readonly index: number;
  }[] = [];
  for (const write of history) {
    if (write.kind !== "write" || write.outcome !== "ok" || write.output === "refused") continue;
    accepted.push({ write, token: write.input, index: write.output });
  }
  accepted.sort((a, b) => a.index - b.index);
  return accepted.flatMap(({ write, token }, position) => {
    const before = accepted[position - 1];
    if (before === undefined || before.token <= token) return [];
    const message = `a write with token ${token} was accepted after token ${before.token}`;
    return [violation(message, before.write, write)];
  });
}
