import type { TopologyProbes } from "../../../cluster/routing/topology-probes.js";
import { decodeV3Response } from "../../../etcd3/decode-response.js";
import { toHexId } from "../../../etcd3/hex-id.js";
import { RPC } from "../../../etcd3/rpcs.js";
import type { V3Call } from "../../../etcd3/v3-api.js";
import { v3Request } from "../../../etcd3/v3-request.js";
import type { HttpResponse } from "../../../wire/http.js";

/**
 * Finds the leader and the member URLs through the v3 API. With auth on, etcd 3.6 and later require
 * a user for that: `authorization` returns the token.
 */
export function v3Probes(authorization: () => Promise<string | undefined>): TopologyProbes {
  return { ...PROBES, authorization };
}

const STATUS_CALL = callOf(RPC.status);
const MEMBERS_CALL = callOf(RPC.memberList);

const PROBES: TopologyProbes = {
  leader: v3Request(RPC.status, {}, STATUS_CALL),
  isLeader(response: HttpResponse) {
    const { message, header } = decodeV3Response(RPC.status, STATUS_CALL, response);
    return header.member_id === message.leader;
  },
  members: v3Request(RPC.memberList, {}, MEMBERS_CALL),
  clientUrls: (response) =>
    decodeV3Response(RPC.memberList, MEMBERS_CALL, response).message.members.flatMap(
      ({ clientURLs }) => clientURLs,
    ),
  clusterId: (response) =>
    toHexId(decodeV3Response(RPC.memberList, MEMBERS_CALL, response).header.cluster_id),
};

function callOf({ path }: { readonly path: string }): V3Call {
  return { operation: `POST /v3/${path}`, key: "/", safety: "read", scope: "local" };
}
