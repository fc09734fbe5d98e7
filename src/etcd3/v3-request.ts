import { framed } from "../wire/grpc.js";
import type { GrpcCall, HttpRequest } from "../wire/http.js";
import { RPCS } from "./rpcs.js";
import type { V3Call } from "./v3-api.js";

/**
 * Makes a member without a leader end a watch; otherwise the watch would stay silent. gRPC and JSON
 * use different names, and each ignores the other's.
 */
const NEEDS_LEADER = { hasleader: "true", "grpc-metadata-hasleader": "true" };

/**
 * A request to etcd's v3 API in both forms: as gRPC, and as JSON for etcd's gateway, which costs
 * etcd several times as much.
 *
 * @param path of the gateway, below `/v3/`
 */
export function v3Request(path: string, body: object, call: V3Call, token?: string): HttpRequest {
  const isWatch = path === "watch";
  return {
    method: "POST",
    path: `/v3/${path}`,
    // Serialized only for an endpoint that needs JSON.
    get body() {
      return JSON.stringify(body);
    },
    contentType: "application/json",
    grpc: grpcCallOf(path, body),
    authorization: token,
    headers: isWatch ? NEEDS_LEADER : undefined,
    streams: isWatch,
    anyMember: path === "auth/authenticate",
    safety: call.safety,
    scope: call.scope,
    operation: call.operation,
    timeout: call.attemptTimeout,
  };
}

function grpcCallOf(path: string, body: object): GrpcCall | undefined {
  const rpc = RPCS[path];
  return rpc && { path: rpc.path, body: framed(rpc.request.encode(body)) };
}
