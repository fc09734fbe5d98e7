import type { Clock } from "../../../time/clock.js";
import type { KeySpace } from "../../key-space.js";
import type { SharedReads } from "./shared-reads.js";
import type { WatchRequests } from "./watch-requests.js";

/** What the watch sessions of a cluster share. */
export interface SessionContext {
  /** For the state that a resync delivers. */
  readonly keySpace: Pick<KeySpace, "execute">;
  readonly requests: WatchRequests;
  readonly reads: SharedReads;
  readonly clock: Clock;
}
