import type { Operation, Violation } from "../workload.js";
import { groupBy, precedes, violation } from "./history.js";

/** An operation during which `owner` proved that it alone owned the key. */
export interface Proof {
  readonly operation: Operation;
  readonly owner: string;
}

/** No owner of a key has a proof between two proofs of another owner. */
export function checkExclusion(proofs: readonly Proof[]): Violation[] {
  const keys = groupBy(proofs, ({ operation }) => operation.key);
  return [...keys.values()].flatMap(checkKey);
}

function checkKey(proofs: readonly Proof[]): Violation[] {
  const owners = groupBy(proofs, ({ owner }) => owner);
  const found: Violation[] = [];
  for (const [owner, own] of owners) {
    const first = own.reduce((a, b) => (b.operation.completedAt < a.operation.completedAt ? b : a));
    const last = own.reduce((a, b) => (b.operation.invokedAt > a.operation.invokedAt ? b : a));
    const between = proofs.find(
      (other) =>
        other.owner !== owner &&
        precedes(first.operation, other.operation) &&
        precedes(other.operation, last.operation),
    );
    if (between === undefined) continue;
    const message = `${between.owner} owned ${last.operation.key} while ${owner} did`;
    found.push(violation(message, first.operation, between.operation, last.operation));
  }
  return found;
}
