import type { TopologyProbes } from "../cluster/routing/topology-probes.js";
import type { HttpReply } from "../wire/http.js";
import { readMembers } from "./read-members.js";
import type { V3Call } from "./v3-api.js";
import { readId, readMemberId, toHexId } from "./v3-json.js";
import { decodeV3Reply } from "./v3-reply.js";
import { v3Request } from "./v3-request.js";

const STATUS = "maintenance/status";
const MEMBERS = "cluster/member/list";

/**
 * Finds the leader and the member URLs through the v3 API. With auth on, etcd 3.6 and later require
 * a user for that: `authorization` returns the token.
 */
export function v3Probes(authorization: () => Promise<string | undefined>): TopologyProbes {
  return { ...PROBES, authorization };
}

const PROBES: TopologyProbes = {
  leader: v3Request(STATUS, {}, callOf(STATUS)),
  isLeader(reply: HttpReply) {
    const { body } = decodeV3Reply(STATUS, callOf(STATUS), reply);
    return readMemberId(body) === toHexId(readId(body.leader));
  },
  members: v3Request(MEMBERS, {}, callOf(MEMBERS)),
  clientUrls: (reply) =>
    readMembers(decodeV3Reply(MEMBERS, callOf(MEMBERS), reply).body).flatMap(
      ({ clientURLs }) => clientURLs,
    ),
  clusterId: (reply) => decodeV3Reply(MEMBERS, callOf(MEMBERS), reply).header.clusterId,
};

function callOf(path: string): V3Call {
  return { operation: `POST /v3/${path}`, key: "/", safety: "read", scope: "local" };
}
