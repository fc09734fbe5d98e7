import { setTimeout } from "node:timers/promises";
import type { V3Tool } from "../v3/v3-tools.js";

/** Time for the last leases to be revoked, or to expire, in ms. */
const GONE_WITHIN_MS = 15_000;
const POLL_EVERY_MS = 500;

/**
 * Number of leases without a key, after the last ones have had time to go. A write that fails between the grant of its
 * lease and its put leaves one until the TTL ends.
 */
export async function unusedLeases(tool: V3Tool, accepted: number): Promise<number> {
  const deadline = performance.now() + GONE_WITHIN_MS;
  for (;;) {
    const leases = await Promise.all((await tool.leases()).map((id) => hasNoKey(tool, id)));
    const unused = leases.filter(Boolean).length;
    if (unused <= accepted || performance.now() > deadline) return unused;
    await setTimeout(POLL_EVERY_MS);
  }
}

async function hasNoKey(tool: V3Tool, id: string): Promise<boolean> {
  const { keys, TTL } = await tool.ask("lease/timetolive", { ID: id, keys: true });
  // A lease that has expired in the meantime has a TTL of -1.
  return keys === undefined && Number(TTL) > 0;
}
