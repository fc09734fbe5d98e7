import { withoutStack } from "../../errors/without-stack.js";
import type { KeySpace } from "../../key-space/key-space.js";
import { type KeyRequest, type WatchRequest, wantsNoNodes } from "../../model/key-request.js";
import type { EtcdResponse, ResponseOrigin } from "../../model/response.js";
import { monotonicNow } from "../../time/event-loop.js";
import { decodeBytes } from "../../wire/decode-path.js";
import { encodeReceipt } from "../../wire/encode-response.js";
import { readForm } from "../../wire/form.js";
import { decodeKeyRequest, type KeyMethod } from "../../wire/key-parameters.js";
import type { KeyGuard, Permit } from "../auth/key-guard.js";
import { keysError, refusalOf } from "../http/error-reply.js";
import { hasFormBody } from "../http/form-body.js";
import {
  type HeaderList,
  JSON_TYPE,
  type ServerReply,
  type ServerRequest,
} from "../http/message.js";
import { responseBody } from "../http/response-body.js";
import type { Route } from "../http/router.js";
import { TurnScheduler } from "../http/turn-scheduler.js";
import { withClusterId } from "../http/with-cluster-id.js";
import { RequestMetrics } from "../metrics/request-metrics.js";
import { EventEncoder } from "./event-encoder.js";

const DENIED = keysError(110, "Insufficient credentials");

/** What the route needs of a key space. */
export interface ServedKeys extends Pick<KeySpace, "openWatch"> {
  execute(request: KeyRequest): Promise<EtcdResponse>;
}

/** Serves `/v2/keys` and everything below it. */
export class KeysRoute<P extends Permit = Permit> {
  readonly #keysOf: (request: ServerRequest, permit: P) => ServedKeys;
  readonly #guard: KeyGuard<P>;
  readonly #clusterId: () => Promise<string>;
  readonly #metrics: RequestMetrics;
  readonly #events = new EventEncoder();
  readonly #turns = new TurnScheduler();

  /** @param keysOf returns the keys for a request: the same ones for all, unless its credentials are passed on */
  constructor(
    keysOf: (request: ServerRequest, permit: P) => ServedKeys,
    guard: KeyGuard<P>,
    clusterId: () => Promise<string>,
    metrics = new RequestMetrics(),
  ) {
    this.#keysOf = keysOf;
    this.#guard = guard;
    this.#clusterId = clusterId;
    this.#metrics = metrics;
  }

  get route(): Route {
    const serve = withClusterId(this.#clusterId, "keys", (...request) => this.#respond(...request));
    const methods = ["HEAD", "GET", "PUT", "POST", "DELETE"];
    const handlers = new Map(methods.map((method) => [method, serve]));
    return { path: "/v2/keys/**", errors: "keys", handlers };
  }

  /**
   * Follows the order of etcd's checks: parameters, then credentials, then the store. A body is read only
   * from clients that may write, and the permit is checked again when the body has arrived. `path` is
   * the decoded key; empty for `/v2/keys` itself.
   */
  async #respond(request: ServerRequest, path: string, query: string): Promise<ServerReply> {
    const method = request.method as KeyMethod;
    const hasForm = hasFormBody(request);
    // A request with a form is always a write of this key, and never recursive.
    const write: KeyRequest = { action: "set", key: path, value: "" };
    const early = hasForm ? await this.#guard.permit(request, method, path, write) : undefined;
    if (hasForm && early === undefined) return DENIED;
    const body = hasForm ? await request.body() : "";
    const decoded = decodeKeyRequest(method, path || "/", readForm(body, decodeBytes(query)));
    const permit = early ?? (await this.#guard.permit(request, method, path, decoded.request));
    if (permit === undefined || (early !== undefined && !(await early.isValid()))) return DENIED;
    const keys = this.#keysOf(request, permit);
    return decoded.kind === "watch"
      ? this.#watch(keys, decoded.request, permit, request.signal)
      : this.#executeCounted(keys, method, decoded.request);
  }

  async #executeCounted(
    keys: ServedKeys,
    method: KeyMethod,
    request: KeyRequest,
  ): Promise<ServerReply> {
    const kind = request.action === "get" && request.quorum ? "QGET" : method;
    const begun = monotonicNow();
    this.#metrics.countReceived(kind);
    try {
      const reply = await this.#execute(keys, request);
      this.#metrics.countSuccess(kind, (monotonicNow() - begun) / 1000);
      return reply;
    } catch (error) {
      const refusal = refusalOf(error, "keys");
      if (refusal !== undefined) this.#metrics.countFailure(kind, refusal.status);
      throw error;
    }
  }

  async #execute(keys: ServedKeys, request: KeyRequest): Promise<ServerReply> {
    // A recursive read may take long. Only one runs per turn, so that the memory budget counts its response
    // before the next one begins.
    if (request.action === "get" && request.recursive) await this.#turns.next();
    // Always with nodes: the status depends on whether there was a previous node.
    const response = await withoutStack(() => keys.execute(withNodes(request)));
    const body = wantsNoNodes(request)
      ? encodeReceipt(response)
      : responseBody(response, this.#turns);
    return { status: statusOf(response), headers: headersOf(response), body };
  }

  async #watch(
    keys: ServedKeys,
    request: WatchRequest,
    permit: Permit,
    signal: AbortSignal,
  ): Promise<ServerReply> {
    this.#metrics.countWatch();
    const watch = await keys.openWatch(request, { signal });
    const onEnd = permit.guard(watch);
    // The permit may have been withdrawn while the watch was being opened.
    if (!(await permit.isValid())) watch.close();
    return { status: 200, headers: headersOf(watch), body: this.#events.encode(watch, onEnd) };
  }
}

function withNodes(request: KeyRequest): KeyRequest {
  const wantsNone = "noValueOnSuccess" in request && request.noValueOnSuccess === true;
  return wantsNone ? { ...request, noValueOnSuccess: false } : request;
}

/** 201 if the key did not exist before. */
function statusOf({ action, prevNode }: EtcdResponse): number {
  return action === "create" || (action === "set" && prevNode === undefined) ? 201 : 200;
}

function headersOf(origin: ResponseOrigin): HeaderList {
  return [
    "Content-Type",
    JSON_TYPE,
    "X-Etcd-Cluster-Id",
    origin.etcdClusterId,
    "X-Etcd-Index",
    String(origin.etcdIndex),
    "X-Raft-Index",
    String(origin.raftIndex),
    "X-Raft-Term",
    String(origin.raftTerm),
  ];
}
