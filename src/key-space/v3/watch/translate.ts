import type { Clock } from "../../../time/clock.js";
import type { IndexEvents } from "../../watch/event-ring.js";
import type { KeyLayout } from "../key-layout.js";
import type { V3Api, V3Call } from "../v3-api.js";
import { eventsOf } from "./events-of-revision.js";
import { leaseFatesOf } from "./lease-fates.js";
import type { Revision } from "./revision-stream.js";

/** What it takes to tell revisions of v3 as events of v2. */
export interface Translation {
  readonly layout: KeyLayout;
  readonly clock: Clock;
  /** Added to revisions. */
  readonly offset: number;
}

/** The events of revisions; etcd is asked for what their leases do not say by themselves. */
export async function translate(
  api: V3Api,
  revisions: readonly Revision[],
  { layout, clock, offset }: Translation,
  call: V3Call,
): Promise<readonly IndexEvents[]> {
  const fates = await leaseFatesOf(api, revisions, layout.action, clock, call);
  const view = { offset, now: clock.now(), ...fates };
  return revisions.map((revision) => ({
    index: revision.number + offset,
    events: eventsOf(revision, layout, view),
  }));
}
