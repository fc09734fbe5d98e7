import { framed } from "../wire/grpc.js";
import type { HttpRequest } from "../wire/http.js";
import { toJson } from "./json-form.js";
import type { MessageInit } from "./protobuf/message-type.js";
import { RPC, type Rpc } from "./rpcs.js";
import type { V3Call } from "./v3-api.js";

/**
 * Makes a member without a leader end a watch; otherwise the watch would stay silent. gRPC and JSON
 * use different names, and each ignores the other's.
 */
const NEEDS_LEADER = { hasleader: "true", "grpc-metadata-hasleader": "true" };

/**
 * A request to etcd's v3 API in both forms: as gRPC, and as JSON for etcd's gateway, which costs
 * etcd several times as much.
 */
export function v3Request<Request, Response>(
  rpc: Rpc<Request, Response>,
  message: MessageInit<Request>,
  call: V3Call,
  token?: string,
): HttpRequest {
  const isWatch = rpc.path === RPC.watch.path;
  return {
    method: "POST",
    path: `/v3/${rpc.path}`,
    // Each form is encoded only for an endpoint that needs it.
    get body() {
      return JSON.stringify(toJson(rpc.request, message));
    },
    contentType: "application/json",
    grpc: {
      path: rpc.grpcPath,
      get body() {
        return framed(rpc.request.encode(message));
      },
    },
    authorization: token,
    headers: isWatch ? NEEDS_LEADER : undefined,
    isWatch: isWatch,
    anyMember: rpc.path === RPC.authenticate.path,
    safety: call.safety,
    scope: call.scope,
    operation: call.operation,
    timeout: call.attemptTimeout,
    deadline: call.deadline,
  };
}
