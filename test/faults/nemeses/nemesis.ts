import type { Release } from "../../../scripts/etcd-binaries.mjs";
import type { EtcdProcess } from "../../../scripts/etcd-process.mjs";
import type { Restore } from "../branches.js";
import type { FaultSystem, SystemName } from "../system.js";
import type { WorkerProcess } from "../worker-process.js";

/** Ends a fault. */
export type Heal = () => Promise<void> | void;

/** One kind of fault. */
export interface Nemesis {
  readonly name: string;
  readonly systems: readonly SystemName[];
  /** Releases of etcd on which it is possible, for each system. @default all */
  readonly releases?: Readonly<Partial<Record<SystemName, readonly Release[]>>>;
  /** Shortest and longest time until it is healed, in ms. */
  readonly lastsMs: readonly [number, number];
  /** Every client has a success within this time, in ms, if no other nemesis is active. @default not checked */
  readonly successWithinMs?: number;
  /** Only if it is named: not with `all` and `mixed`. */
  readonly isAlone?: boolean;
  /** Only in a long run. */
  readonly isLong?: boolean;
  /** Injects the fault; `random` makes its choices. @returns undefined if it is not possible now */
  start(environment: FaultEnvironment, random: () => number): Promise<Heal | undefined>;
}

/** What a nemesis can reach. */
export interface FaultEnvironment {
  readonly system: FaultSystem;
  readonly workers: readonly WorkerProcess[];
  /** Processes and links that a nemesis uses. Another nemesis leaves them alone. */
  readonly taken: Set<unknown>;
  /** Tells the checks that the cluster went back to an earlier state. */
  restored(restore: Restore): void;
  /** Says what a nemesis does, for the log of the run. */
  note(text: string): void;
}

/** Takes what a nemesis hits. */
export type Choice<T> = (
  environment: FaultEnvironment,
  random: () => number,
) => Promise<readonly T[]>;

export const ALL_SYSTEMS = ["v2", "v3", "gateway", "cutover"] as const;
/** Systems whose members are one cluster. */
export const SINGLE_CLUSTERS = ["v2", "v3", "gateway"] as const;
export const GATEWAY_SYSTEMS = ["gateway", "cutover"] as const;
export const V3_SYSTEMS = ["v3", "gateway"] as const;

/** Takes up to `count` of the candidates that no nemesis has. */
export function take<T>(
  { taken }: FaultEnvironment,
  candidates: readonly T[],
  random: () => number,
  count = 1,
): readonly T[] {
  const free = candidates.filter((candidate) => !taken.has(candidate));
  const chosen: T[] = [];
  while (chosen.length < count && free.length > 0) {
    chosen.push(...free.splice(Math.floor(random() * free.length), 1));
  }
  for (const each of chosen) taken.add(each);
  return chosen;
}

export function release({ taken }: FaultEnvironment, things: readonly unknown[]): void {
  for (const each of things) taken.delete(each);
}

/** Takes the leader, if no nemesis has it and it is known. */
export async function takeLeader(environment: FaultEnvironment): Promise<readonly EtcdProcess[]> {
  const { system } = environment;
  const leader = await system.admin.members.leader().catch(() => undefined);
  const members = system.members.filter(({ name }) => name === leader?.name);
  return take(environment, members, () => 0);
}

export function namesOf(things: readonly { readonly name: string }[]): string {
  return things.map(({ name }) => name).join(", ");
}
