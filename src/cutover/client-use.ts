import { isCount, isObject } from "../wire/json.js";

/** What a program has asked of a gateway since the gateway was started. */
export interface ClientUse {
  /** IP address; empty: unknown. */
  readonly address: string;
  /** `User-Agent`; empty: none. */
  readonly agent: string;
  readonly reads: number;
  readonly writes: number;
  readonly watches: number;
  /** Watches with `waitIndex`. */
  readonly indexedWatches: number;
}

/** The entries of a list that are uses of clients. */
export function clientUsesIn(list: unknown): readonly ClientUse[] {
  return Array.isArray(list) ? list.filter(isClientUse) : [];
}

/** The sums for each address and agent, the most used first. */
export function summed(uses: readonly ClientUse[]): readonly ClientUse[] {
  const sums = new Map<string, ClientUse>();
  for (const use of uses) {
    const { address, agent } = use;
    const id = JSON.stringify([address, agent]);
    const before = sums.get(id);
    sums.set(id, before === undefined ? use : sumOf(before, use));
  }
  return [...sums.values()].sort((a, b) => requestsOf(b) - requestsOf(a));
}

function sumOf(a: ClientUse, b: ClientUse): ClientUse {
  return {
    ...a,
    reads: a.reads + b.reads,
    writes: a.writes + b.writes,
    watches: a.watches + b.watches,
    indexedWatches: a.indexedWatches + b.indexedWatches,
  };
}

function requestsOf({ reads, writes, watches }: ClientUse): number {
  return reads + writes + watches;
}

function isClientUse(value: unknown): value is ClientUse {
  if (!isObject(value)) return false;
  const { address, agent, reads, writes, watches, indexedWatches } = value;
  const counts = [reads, writes, watches, indexedWatches];
  return typeof address === "string" && typeof agent === "string" && counts.every(isCount);
}
