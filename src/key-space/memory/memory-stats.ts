import { goDuration, goTime } from "../../go/time.js";
import type { LeaderStats, Member, SelfStats, StoreStats } from "../../model/cluster.js";
import type { Clock } from "../../time/clock.js";
import type { CallOptions } from "../call-options.js";
import type { StatsApi } from "../cluster-api.js";
import type { MemoryKeySpace } from "./memory-key-space.js";
import { refuseAborted } from "./memory-members.js";

/** Counters of a one-member cluster in this process, which is its own leader. */
export class MemoryStats implements StatsApi {
  readonly #keySpace: MemoryKeySpace;
  readonly #own: Pick<Member, "id" | "name">;
  readonly #clock: Clock;
  /** Start by the wall clock, and by the monotonic clock. */
  readonly #start: { readonly time: string; readonly tick: number };

  constructor(keySpace: MemoryKeySpace, own: Pick<Member, "id" | "name">, clock: Clock) {
    this.#keySpace = keySpace;
    this.#own = own;
    this.#clock = clock;
    this.#start = { time: goTime(clock.now()), tick: clock.monotonic() };
  }

  async self({ signal }: CallOptions = {}): Promise<SelfStats> {
    refuseAborted(signal, "none");
    const { id, name } = this.#own;
    const startTime = this.#start.time;
    const uptime = goDuration(this.#clock.monotonic() - this.#start.tick);
    return {
      name,
      id,
      state: "StateLeader",
      startTime,
      leaderInfo: { leader: id, uptime, startTime },
      recvAppendRequestCnt: 0,
      sendAppendRequestCnt: 0,
    };
  }

  async store({ signal }: CallOptions = {}): Promise<StoreStats> {
    refuseAborted(signal, "none");
    return this.#keySpace.stats;
  }

  async leader({ signal }: CallOptions = {}): Promise<LeaderStats> {
    refuseAborted(signal, "none");
    return { leader: this.#own.id, followers: {} };
  }
}
