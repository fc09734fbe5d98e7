import fc from "fast-check";
import type { SimulatedClock } from "../support/simulated-clock.js";
import type { SimulatedV3 } from "../support/simulated-v3.js";

/** A step of a story that concerns the simulated etcd, its members and connections, or time. */
export type EtcdStep =
  | { readonly do: "pass"; readonly milliseconds: number }
  | { readonly do: "compact"; readonly back: number }
  | { readonly do: "freeze" | "thaw" | "cut" | "lag" | "refuse" | "heal" };

/** Another store takes the place of this one, and keeps this share of its revisions. */
export interface ReplaceStep {
  readonly do: "replace";
  readonly share: number;
}

/** A change of a story, as far as it is compared. */
export interface Committed {
  readonly key: string;
  readonly index: number;
  /** Monotonic moment. */
  readonly at: number;
}

/** Revision of the first change. */
export const FIRST = 2;

export const passSteps = fc.record({
  do: fc.constant("pass" as const),
  milliseconds: fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 1, max: 100 }) },
    { weight: 1, arbitrary: fc.integer({ min: 500, max: 12_000 }) },
  ),
});

export const faultSteps = fc.record({
  do: fc.constantFrom(
    ...(["freeze", "thaw", "cut", "cut", "lag", "refuse", "heal", "heal"] as const),
  ),
});

export const replaceSteps = fc.record({
  do: fc.constant("replace" as const),
  share: fc.double({ min: 0, max: 0.8, noNaN: true }),
});

/** The last revision that a store keeps which takes the place of this one. */
export function keptRevision({ share }: ReplaceStep, { revision }: SimulatedV3): number {
  return FIRST + Math.floor((revision - FIRST) * share);
}

export async function playOnEtcd(
  step: EtcdStep,
  etcd: SimulatedV3,
  clock: SimulatedClock,
): Promise<void> {
  switch (step.do) {
    case "pass":
      return await clock.pass(step.milliseconds);
    case "compact":
      return etcd.compact(etcd.revision - step.back);
    case "freeze":
      for (const stream of etcd.streams) stream.isFrozen = true;
      return;
    case "thaw":
      for (const stream of etcd.streams) stream.thaw();
      return;
    case "cut":
      return etcd.cut();
    case "lag":
      etcd.lag ??= etcd.revision;
      return;
    case "refuse":
      etcd.refuses = true;
      return;
    case "heal":
      return healEtcd(etcd);
  }
}

/** Ends all faults. */
export function healEtcd(etcd: SimulatedV3): void {
  etcd.refuses = false;
  etcd.catchUp();
  for (const stream of etcd.streams) stream.thaw();
}
