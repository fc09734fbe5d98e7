import { ProtocolError } from "../errors/cluster-errors.js";
import { isAction, isRemoval } from "../model/actions.js";
import { type KeyRequest, wantsNoNodes } from "../model/key-request.js";
import type { Action, EtcdReceipt, EtcdResponse, ResponseOrigin } from "../model/response.js";
import type { HttpRequest, HttpResponse, HttpResponseHead } from "./http.js";
import { decodeResponse, readSuccess, requestAtEndpoint } from "./http-response.js";
import type { JsonDeserializer, JsonObject } from "./json.js";
import { readNode, readRemovedNode } from "./node-shape.js";

/**
 * Decodes a response of `/v2/keys`. With `noValueOnSuccess`, the result has no nodes.
 *
 * @throws EtcdServerError when etcd refused
 * @throws AttemptFailure when the response is unusable
 */
export function decodeKeyResponse(
  request: HttpRequest,
  response: HttpResponse,
  keyRequest: KeyRequest,
  deserialize: JsonDeserializer,
): EtcdResponse | EtcdReceipt {
  const body = readSuccess(request, response, deserialize, keyRequest.key);
  return decodeResponse(() => {
    const origin = requestAtEndpoint(request, response);
    const action = readAction(body, origin);
    if (action !== keyRequest.action) {
      throw new ProtocolError(
        `${origin}: the response has the action "${action}" instead of "${keyRequest.action}"`,
      );
    }
    const head = readOrigin(response, origin);
    const withoutNodes = body.node === undefined && wantsNoNodes(keyRequest);
    if (withoutNodes) return { action, ...head };
    const decoded = responseOf(action, head, body, origin);
    if (isAbout(keyRequest, decoded.node.key)) return decoded;
    throw new ProtocolError(`${origin}: the response is about another key, ${decoded.node.key}`);
  });
}

/** Whether a response can be about a key. A proxy can mix up responses. */
function isAbout(request: KeyRequest, key: string): boolean {
  // etcd ignores a slash at the end.
  const path = request.key.endsWith("/") ? request.key.slice(0, -1) : request.key;
  const isInOrder = request.action === "create" && request.inOrder === true;
  return isInOrder ? key.startsWith(`${path}/`) : key === (path || "/");
}

/** Decodes an event of a watch. `head` comes from the watch's response. @throws ProtocolError */
export function decodeEvent(body: JsonObject, head: ResponseOrigin, origin: string): EtcdResponse {
  return responseOf(readAction(body, origin), head, body, origin);
}

/** Reads the `X-Etcd-*` headers. @throws ProtocolError when they are missing or out of range */
export function readOrigin(response: HttpResponseHead, origin: string): ResponseOrigin {
  const { headers, endpoint } = response;
  return {
    etcdServer: endpoint,
    etcdClusterId: String(headers["x-etcd-cluster-id"] ?? ""),
    etcdIndex: readIndex(headers["x-etcd-index"], "X-Etcd-Index", origin),
    raftIndex: readIndex(headers["x-raft-index"] ?? "0", "X-Raft-Index", origin),
    raftTerm: readIndex(headers["x-raft-term"] ?? "0", "X-Raft-Term", origin),
  };
}

function readIndex(text: unknown, name: string, origin: string): number {
  if (typeof text === "string" && /^\d+$/.test(text)) {
    const index = Number(text);
    if (Number.isSafeInteger(index)) return index;
  }
  throw new ProtocolError(
    `${origin}: the header ${name} is missing or not an integer up to 2^53 - 1`,
  );
}

function readAction(body: JsonObject, origin: string): Action {
  if (!isAction(body.action))
    throw new ProtocolError(`${origin}: the response has an unknown action`);
  return body.action;
}

/** Lists the fields: spread objects live longer in V8, which is measurable at this rate. */
function responseOf(
  action: Action,
  head: ResponseOrigin,
  body: JsonObject,
  origin: string,
): EtcdResponse {
  const { etcdServer, etcdClusterId, etcdIndex, raftIndex, raftTerm } = head;
  const node = (isRemoval(action) ? readRemovedNode : readNode)(body.node, origin);
  const response = { action, node, etcdServer, etcdClusterId, etcdIndex, raftIndex, raftTerm };
  if (body.prevNode === undefined) return response;
  return Object.assign(response, { prevNode: readNode(body.prevNode, origin) });
}
