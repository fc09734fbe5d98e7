import { adminGet } from "../../wire/admin-request.js";
import { decodeAdminResponse, isMemberList, isSelfStats } from "../../wire/admin-response.js";
import type { HttpRequest, HttpResponse } from "../../wire/http.js";

/** Requests that find the leader and the member URLs, in v2's or v3's API. */
export interface TopologyProbes {
  /** The Authorization header, where it is not the cluster's own. */
  authorization?(): Promise<string | undefined>;
  readonly leader: HttpRequest;
  /** Whether the responding member is the leader. @throws an error if the response is unusable */
  isLeader(response: HttpResponse): boolean;
  readonly members: HttpRequest;
  /** The client URLs that the members advertise. @throws an error if the response is unusable */
  clientUrls(response: HttpResponse): readonly string[];
  /** ID of the responding cluster, if the response contains it. @throws an error if the response is unusable */
  clusterId(response: HttpResponse): string | undefined;
}

const SELF = adminGet("/v2/stats/self");
const MEMBERS = adminGet("/v2/members");

/** Probes through the v2 API. */
export const v2Probes: TopologyProbes = {
  leader: SELF,
  isLeader(response) {
    const { id, leaderInfo } = decodeAdminResponse(SELF, response, isSelfStats);
    return id === leaderInfo.leader;
  },
  members: MEMBERS,
  clientUrls: (response) =>
    decodeAdminResponse(MEMBERS, response, isMemberList).members.flatMap(
      ({ clientURLs }) => clientURLs,
    ),
  clusterId: ({ headers }) => {
    const id = headers["x-etcd-cluster-id"];
    return typeof id === "string" ? id : undefined;
  },
};
