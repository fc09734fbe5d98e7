import type { V3Api, V3Call } from "../../../etcd3/v3-api.js";
import type { Clock } from "../../../time/clock.js";
import type { IndexEvents } from "../../shared/event-cache.js";
import type { KeySchema } from "../schema/key-schema.js";
import { eventsOf } from "./events-of-revision.js";
import { leaseStatusOf } from "./lease-status.js";
import type { Revision } from "./revision-stream.js";

/** Everything needed to translate v3 revisions to v2 events. */
export interface Translation {
  readonly schema: KeySchema;
  readonly clock: Clock;
  /** Index offset, which is added to revisions. */
  readonly offset: number;
}

/** Returns the events of revisions. Queries etcd for the leases whose IDs do not say enough. */
export async function translate(
  api: V3Api,
  revisions: readonly Revision[],
  { schema, clock, offset }: Translation,
  call: V3Call,
): Promise<readonly IndexEvents[]> {
  const leases = await leaseStatusOf(api, revisions, schema, clock, call);
  const view = { offset, now: clock.now(), ...leases };
  return revisions.map((revision) => ({
    index: revision.number + offset,
    events: eventsOf(revision, schema, view),
  }));
}
