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
    contentType: "application/json",
    grpc: new GrpcRequest(rpc, message),
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

/** A class, because each object literal with a getter costs more than an encoding. */
class GrpcRequest<Request> {
  readonly #rpc: Rpc<Request, unknown>;
  readonly #message: MessageInit<Request>;

  constructor(rpc: Rpc<Request, unknown>, message: MessageInit<Request>) {
    this.#rpc = rpc;
    this.#message = message;
  }

  get path(): string {
    return this.#rpc.grpcPath;
  }

  get body(): Buffer {
    return framed(this.#rpc.request.encode(this.#message));
  }

  get json(): string {
    return JSON.stringify(toJson(this.#rpc.request, this.#message));
  }
}
