import type { TopologyProbes } from "../../cluster/topology-probes.js";
import type { HttpReply, HttpRequest } from "../../wire/http.js";
import type { V3Call } from "./v3-api.js";
import { readHeader, readId, toHexId } from "./v3-json.js";
import { readMembers } from "./v3-members.js";
import { decodeV3Reply } from "./v3-reply.js";

const LEADER = callOf("maintenance/status");
const MEMBERS = callOf("cluster/member/list");

/** Who leads and where the members are, by the v3 API; asked without credentials. */
export const v3Probes: TopologyProbes = {
  leader: requestOf("maintenance/status"),
  isLeader(reply: HttpReply) {
    const { body } = decodeV3Reply(LEADER, reply);
    return readHeader(body).memberId === toHexId(readId(body.leader));
  },
  members: requestOf("cluster/member/list"),
  clientUrls: (reply) =>
    readMembers(decodeV3Reply(MEMBERS, reply).body).flatMap(({ clientURLs }) => clientURLs),
};

function callOf(path: string): V3Call {
  return { operation: `POST /v3/${path}`, key: "/", safety: "read", scope: "local" };
}

function requestOf(path: string): HttpRequest {
  const contentType = "application/json";
  const { operation, safety, scope } = callOf(path);
  return { method: "POST", path: `/v3/${path}`, body: "{}", contentType, safety, scope, operation };
}
