import type { V3Api, V3Response } from "../../../etcd3/v3-api.js";
import { readId, readMemberId, toHexId } from "../../../etcd3/v3-json.js";
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
    const { body } = await this.#status("GET /v2/stats/self", options);
    const id = readMemberId(body);
    const leader = readId(body.leader) === "0" ? "" : toHexId(readId(body.leader));
    const members = await this.#members.list(options);
    return {
      name: members.find((member) => member.id === id)?.name ?? "",
      id,
      state: id === leader ? "StateLeader" : "StateFollower",
      startTime: ZERO_TIME,
      leaderInfo: { leader, uptime: "0s", startTime: ZERO_TIME },
      recvAppendRequestCnt: 0,
      sendAppendRequestCnt: 0,
    };
  }

  async store(): Promise<StoreStats> {
    return this.#keySpace.stats;
  }

  async leader(options: CallOptions = {}): Promise<LeaderStats> {
    const { body } = await this.#status("GET /v2/stats/leader", options);
    return { leader: toHexId(readId(body.leader)), followers: {} };
  }

  #status(operation: string, { signal }: CallOptions): Promise<V3Response> {
    const call = { operation, key: "/", safety: "read", scope: "local", signal } as const;
    return this.#api.call("maintenance/status", {}, call);
  }
}
