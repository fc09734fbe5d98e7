import { framed } from "../../wire/grpc.js";
import type { GrpcCall, HttpRequest } from "../../wire/http.js";
import { RPCS } from "./rpcs.js";
import type { V3Call } from "./v3-api.js";

/** A member without a leader then ends a watch, which would otherwise just be silent. */
const NEEDS_LEADER = { hasleader: "true", "grpc-metadata-hasleader": "true" };

/**
 * A request to etcd's v3 API in both its forms: as gRPC, and as JSON for the gateway that etcd has
 * for it, which costs etcd several times as much.
 *
 * @param path of the gateway, below `/v3/`
 */
export function v3Request(path: string, body: object, call: V3Call, token?: string): HttpRequest {
  const { operation, safety, scope } = call;
  const grpc = grpcCallOf(path, body);
  return {
    method: "POST",
    path: `/v3/${path}`,
    // Written out only for an endpoint that needs it.
    get body() {
      return JSON.stringify(body);
    },
    contentType: "application/json",
    ...{ safety, scope, operation },
    ...(grpc !== undefined && { grpc }),
    ...(token !== undefined && { authorization: token }),
    ...(path === "watch" && { streams: true, headers: NEEDS_LEADER }),
  };
}

function grpcCallOf(path: string, body: object): GrpcCall | undefined {
  const rpc = RPCS[path];
  return rpc && { path: rpc.path, body: framed(rpc.request.encode(body)) };
}
