import type { V3Api, V3Call } from "../../../etcd3/v3-api.js";
import type { Clock } from "../../../time/clock.js";
import type { IndexEvents } from "../../shared/event-cache.js";
import type { KeySchema } from "../schema/key-schema.js";
import { eventsOf } from "./events-of-revision.js";
import { leaseStatusOf } from "./lease-status.js";
import type { Revision } from "./revision-stream.js";

/** What it takes to tell revisions of v3 as events of v2. */
export interface Translation {
  readonly schema: KeySchema;
  readonly clock: Clock;
  /** Added to revisions. */
  readonly offset: number;
}

/** The events of revisions; etcd is asked for what their leases do not say by themselves. */
export async function translate(
  api: V3Api,
  revisions: readonly Revision[],
  { schema, clock, offset }: Translation,
  call: V3Call,
): Promise<readonly IndexEvents[]> {
  const fates = await leaseStatusOf(api, revisions, schema.action, clock, call);
  const view = { offset, now: clock.now(), ...fates };
  return revisions.map((revision) => ({
    index: revision.number + offset,
    events: eventsOf(revision, schema, view),
  }));
}
