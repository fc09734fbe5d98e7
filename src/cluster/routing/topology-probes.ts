import { decodeAdminReply, isMemberList, isSelfStats } from "../../wire/admin-reply.js";
import { adminGet } from "../../wire/admin-request.js";
import type { HttpReply, HttpRequest } from "../../wire/http.js";

/** How members are asked who leads and where they are, which each API does in its own way. */
export interface TopologyProbes {
  /** A header to ask with, where the cluster's own credentials are none. */
  authorization?(): Promise<string | undefined>;
  readonly leader: HttpRequest;
  /** Whether the member that replied leads. @throws what makes the reply unusable */
  isLeader(reply: HttpReply): boolean;
  readonly members: HttpRequest;
  /** URLs at which the members say that clients reach them. @throws likewise */
  clientUrls(reply: HttpReply): readonly string[];
  /** Id of the cluster that replied to `members`, if the reply names one. @throws likewise */
  clusterId(reply: HttpReply): string | undefined;
}

const SELF = adminGet("/v2/stats/self");
const MEMBERS = adminGet("/v2/members");

/** By the v2 API. */
export const v2Probes: TopologyProbes = {
  leader: SELF,
  isLeader(reply) {
    const { id, leaderInfo } = decodeAdminReply(SELF, reply, isSelfStats);
    return id === leaderInfo.leader;
  },
  members: MEMBERS,
  clientUrls: (reply) =>
    decodeAdminReply(MEMBERS, reply, isMemberList).members.flatMap(({ clientURLs }) => clientURLs),
  clusterId: ({ headers }) => {
    const id = headers["x-etcd-cluster-id"];
    return typeof id === "string" ? id : undefined;
  },
};
