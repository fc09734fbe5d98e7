import { toHexId } from "../../../etcd3/hex-id.js";
import { RPC } from "../../../etcd3/rpcs.js";
import type { V3Api } from "../../../etcd3/v3-api.js";
import type { LeaderStats, SelfStats, StoreStats } from "../../../model/cluster.js";
import type { CallOptions } from "../../call-options.js";
import type { MembersApi, StatsApi } from "../../cluster-api.js";

/** Go's zero time, for times that v3 does not return. */
const ZERO_TIME = "0001-01-01T00:00:00Z";

/**
 * Statistics from the v3 API, which only returns the leader. Requests are those of this process.
 * Times and counts that v3 does not return are 0, and there are no followers.
 */
export class V3Stats implements StatsApi {
  readonly #api: V3Api;
  readonly #members: MembersApi;
  readonly #keySpace: { readonly stats: StoreStats };

  constructor(api: V3Api, members: MembersApi, keySpace: { readonly stats: StoreStats }) {
    this.#api = api;
    this.#members = members;
    this.#keySpace = keySpace;
  }

  async self(options: CallOptions = {}): Promise<SelfStats> {
    const { member, leader } = await this.#status("GET /v2/stats/self", options);
    const id = toHexId(member);
    const members = await this.#members.list(options);
    return {
      name: members.find((member) => member.id === id)?.name ?? "",
      id,
      state: member === leader ? "StateLeader" : "StateFollower",
      startTime: ZERO_TIME,
      leaderInfo: {
        leader: leader === "0" ? "" : toHexId(leader),
        uptime: "0s",
        startTime: ZERO_TIME,
      },
      recvAppendRequestCnt: 0,
      sendAppendRequestCnt: 0,
    };
  }

  async store(): Promise<StoreStats> {
    return this.#keySpace.stats;
  }

  async leader(options: CallOptions = {}): Promise<LeaderStats> {
    const { leader } = await this.#status("GET /v2/stats/leader", options);
    return { leader: toHexId(leader), followers: {} };
  }

  /** Returns the ids of the responding member and of the leader; `0` without a leader. */
  async #status(
    operation: string,
    { signal }: CallOptions,
  ): Promise<{ readonly member: string; readonly leader: string }> {
    const call = { operation, key: "/", safety: "read", scope: "local", signal } as const;
    const { header, message } = await this.#api.call(RPC.status, {}, call);
    return { member: header.member_id, leader: message.leader };
  }
}
