import { RPC } from "../../../etcd3/rpcs.js";
import { NO_LEASE } from "../../../etcd3/transaction.js";
import type { V3Api, V3Call } from "../../../etcd3/v3-api.js";
import type { Clock } from "../../../time/clock.js";
import { sleep } from "../../../time/sleep.js";
import type { KeySchema } from "../schema/key-schema.js";
import { decodeLeaseId, endOfLease } from "../schema/lease-id.js";
import type { Revision } from "./revision-stream.js";

/** The state of leases that cannot be derived from their IDs. */
export interface LeaseStatus {
  /** End of external leases in milliseconds since 1970, by ID. */
  readonly ends: ReadonlyMap<string, number>;
  hasExpired(lease: string): boolean;
}

/** Maximum number of concurrent queries. */
const MAX_CONCURRENT_QUERIES = 32;
/** Milliseconds until the leader applies its own decision. */
const APPLY_DELAY_MS = 50;

/** Queries the leases that events depend on beyond their IDs. */
export async function leaseStatusOf(
  api: V3Api,
  revisions: readonly Revision[],
  schema: KeySchema,
  clock: Clock,
  call: V3Call,
): Promise<LeaseStatus> {
  const unknown = [...new Set(revisions.flatMap((revision) => leasesToQuery(revision, schema)))];
  const ends = new Map<string, number>();
  const gone = new Set<string>();
  while (unknown.length > 0) {
    await Promise.all(
      unknown.splice(0, MAX_CONCURRENT_QUERIES).map(async (id) => {
        const seconds = await secondsLeft(api, id, clock, call);
        if (seconds < 0) gone.add(id);
        else if (isExternal(id)) ends.set(id, endOfLease(seconds, clock.now()));
      }),
    );
  }
  return { ends, hasExpired: (lease) => gone.has(lease) };
}

/**
 * Returns -1 for an expired or revoked lease. A lease in its last second may be gone already, so it
 * is queried again.
 */
async function secondsLeft(api: V3Api, id: string, clock: Clock, call: V3Call): Promise<number> {
  const query = async (): Promise<number> =>
    (await api.call(RPC.leaseTimeToLive, { ID: id }, call)).message.TTL;
  const seconds = await query();
  if (seconds !== 0) return seconds;
  await sleep(APPLY_DELAY_MS, clock, call.signal);
  return await query();
}

/**
 * The leases of deleted nodes, to distinguish expiry from delete, and external leases of nodes. The
 * action record describes what happened to own leases. Other records are not part of an event.
 */
function leasesToQuery({ changes }: Revision, schema: KeySchema): readonly string[] {
  const isOwn = changes.some(({ kv, deleted }) => !deleted && kv.key.equals(schema.action));
  return changes.flatMap(({ kv, prev, deleted }) => {
    const before = prev?.lease ?? NO_LEASE;
    const leases = deleted && !isOwn ? [before] : [before, kv.lease].filter(isExternal);
    const known = leases.filter((id) => id !== NO_LEASE);
    return known.length > 0 && isNode(kv.key, schema) ? known : [];
  });
}

function isNode(key: Buffer, schema: KeySchema): boolean {
  const { kind } = schema.decode(key) ?? {};
  return kind === "file" || kind === "marker";
}

function isExternal(id: string): boolean {
  return decodeLeaseId(id) === undefined;
}
