import { ProtocolError } from "../errors/cluster-errors.js";
import { type KeyRequest, wantsNoNodes } from "../model/key-request.js";
import type { Action, AnswerOrigin, EtcdReceipt, EtcdResponse } from "../model/response.js";
import type { HttpReply, HttpReplyHead, HttpRequest } from "./http.js";
import type { JsonDeserializer, JsonObject } from "./json.js";
import { readNode } from "./node-shape.js";
import { originOf, readable, readSuccess } from "./reply.js";

const ACTIONS: ReadonlySet<unknown> = new Set<Action>([
  "get",
  "set",
  "create",
  "update",
  "delete",
  "compareAndSwap",
  "compareAndDelete",
  "expire",
]);

/**
 * The answer that a reply of `/v2/keys` holds; without nodes if the request wanted none.
 *
 * @throws EtcdServerError when etcd refused, AttemptFailure when the reply is not usable
 */
export function decodeKeyReply(
  request: HttpRequest,
  reply: HttpReply,
  asked: KeyRequest,
  deserialize: JsonDeserializer,
): EtcdResponse | EtcdReceipt {
  const answer = readSuccess(request, reply, deserialize, asked.key);
  return readable(() => {
    const origin = originOf(request, reply);
    const action = readAction(answer, origin);
    if (action !== asked.action) {
      throw new ProtocolError(`${origin}: "${asked.action}" was answered as "${action}"`);
    }
    const head = readOrigin(reply, origin);
    const withoutNodes = answer.node === undefined && wantsNoNodes(asked);
    return withoutNodes ? { action, ...head } : responseOf(action, head, answer, origin);
  });
}

/** An event of a watch whose head was read before. @throws ProtocolError */
export function decodeEvent(answer: JsonObject, head: AnswerOrigin, origin: string): EtcdResponse {
  return responseOf(readAction(answer, origin), head, answer, origin);
}

/** The `X-Etcd-*` headers. @throws ProtocolError when they are missing or out of range */
export function readOrigin(reply: HttpReplyHead, origin: string): AnswerOrigin {
  const { headers, endpoint } = reply;
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
  throw new ProtocolError(`${origin}: ${name} is missing, no number, or beyond 2^53 - 1`);
}

function readAction(answer: JsonObject, origin: string): Action {
  if (!isAction(answer.action))
    throw new ProtocolError(`${origin}: the answer's action is unknown`);
  return answer.action;
}

function isAction(value: unknown): value is Action {
  return ACTIONS.has(value);
}

/** Written out: objects made by spreading live longer in V8, which tells at this rate. */
function responseOf(
  action: Action,
  head: AnswerOrigin,
  answer: JsonObject,
  origin: string,
): EtcdResponse {
  const { etcdServer, etcdClusterId, etcdIndex, raftIndex, raftTerm } = head;
  const node = readNode(answer.node, origin);
  const response = { action, node, etcdServer, etcdClusterId, etcdIndex, raftIndex, raftTerm };
  if (answer.prevNode === undefined) return response;
  return Object.assign(response, { prevNode: readNode(answer.prevNode, origin) });
}
