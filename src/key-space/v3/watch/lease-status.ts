import { NO_LEASE } from "../../../etcd3/transaction.js";
import type { V3Api, V3Call } from "../../../etcd3/v3-api.js";
import { readInt64 } from "../../../etcd3/v3-json.js";
import type { Clock } from "../../../time/clock.js";
import { sleep } from "../../../time/sleep.js";
import { decodeLeaseId } from "../schema/lease-id.js";
import type { Revision } from "./revision-stream.js";

/** What became of leases, as far as events cannot tell by the ids alone. */
export interface LeaseStatus {
  /** Milliseconds since 1970 at which leases that are not ours end, by id. */
  readonly external: ReadonlyMap<string, number>;
  ranOut(lease: string): boolean;
}

/** Leases asked for at once. */
const AT_ONCE = 32;
/** Milliseconds within which the leader learns what it has decided. */
const LAG = 50;

/**
 * Asks for every lease of which events cannot be told without knowing more than its id. `action` is
 * the key of the action record, which says what happened to our own.
 */
export async function leaseStatusOf(
  api: V3Api,
  revisions: readonly Revision[],
  action: string,
  clock: Clock,
  call: V3Call,
): Promise<LeaseStatus> {
  const unknown = [...new Set(revisions.flatMap((revision) => leasesToAskFor(revision, action)))];
  const foreign = new Map<string, number>();
  const gone = new Set<string>();
  while (unknown.length > 0) {
    await Promise.all(
      unknown.splice(0, AT_ONCE).map(async (id) => {
        const seconds = await secondsLeft(api, id, clock, call);
        if (seconds < 0) gone.add(id);
        else if (isForeign(id)) foreign.set(id, clock.now() + seconds * 1000);
      }),
    );
  }
  return { external: foreign, ranOut: (lease) => gone.has(lease) };
}

/** -1 for a lease that is gone. One in its last second may be, where that is not known yet. */
async function secondsLeft(api: V3Api, id: string, clock: Clock, call: V3Call): Promise<number> {
  const ask = async (): Promise<number> =>
    readInt64((await api.call("lease/timetolive", { ID: id }, call)).body.TTL, "TTL");
  const seconds = await ask();
  if (seconds !== 0) return seconds;
  await sleep(LAG, clock, call.signal);
  return await ask();
}

/** Those of keys that vanished, to tell expiry from delete, and those whose ids do not say. */
function leasesToAskFor({ changes }: Revision, action: string): readonly string[] {
  const isOurs = changes.some(({ kv, deleted }) => kv.key === action && !deleted);
  return changes.flatMap(({ kv, prev, deleted }) => {
    const before = prev?.lease ?? NO_LEASE;
    const leases = deleted && !isOurs ? [before] : [before, kv.lease].filter(isForeign);
    return leases.filter((id) => id !== NO_LEASE);
  });
}

function isForeign(id: string): boolean {
  return decodeLeaseId(id) === undefined;
}
