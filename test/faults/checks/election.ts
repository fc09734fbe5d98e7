import type { Violation } from "../workload.js";
import { decreases, type Numbered, type Typed, violation } from "./history.js";
import { checkLock, type LockOperation } from "./lock.js";

/** The leader in a response or an observation. */
export interface SeenLeader {
  readonly value: string;
  readonly token: number;
}

export type ElectionOperation =
  | LockOperation
  /** A value with which a client campaigns. */
  | Typed<"campaign", string, number>
  /** A linearizable read of the leader. */
  | Typed<"readLeader", undefined, SeenLeader | null>
  | Typed<"observed", undefined, SeenLeader | null>;

/** The rules of the lock. The leader is one that campaigned, and a read does not show an earlier leader. */
export function checkElection(history: readonly ElectionOperation[]): Violation[] {
  const asLock = history.flatMap((operation): LockOperation[] => {
    if (operation.kind === "campaign") return [{ ...operation, kind: "acquire", input: undefined }];
    return operation.kind === "hold" || operation.kind === "write" ? [operation] : [];
  });
  return [...checkLock(asLock), ...checkLeaders(history), ...checkCandidates(history)];
}

function checkLeaders(history: readonly ElectionOperation[]): Violation[] {
  const seen: Numbered[] = [];
  for (const operation of history) {
    if (operation.kind === "readLeader" && operation.outcome === "ok" && operation.output !== null)
      seen.push({ operation, number: operation.output.token });
  }
  return decreases(seen).map(([before, after]) =>
    violation(
      `leader ${after.number} after leader ${before.number}`,
      before.operation,
      after.operation,
    ),
  );
}

function checkCandidates(history: readonly ElectionOperation[]): Violation[] {
  const values = new Set(history.flatMap((o) => (o.kind === "campaign" ? [o.input] : [])));
  return history.flatMap((operation) => {
    if (operation.kind !== "readLeader" && operation.kind !== "observed") return [];
    if (operation.outcome !== "ok" || operation.output === null) return [];
    const { value } = operation.output;
    return values.has(value) ? [] : [violation(`${value} leads and never campaigned`, operation)];
  });
}
