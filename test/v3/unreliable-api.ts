import { ClusterUnavailableError, OutcomeUnknownError } from "../../src/errors/cluster-errors.js";
import { toJson } from "../../src/etcd3/json-form.js";
import type { MessageInit } from "../../src/etcd3/protobuf/message-type.js";
import type { Rpc, WatchCreateRequest } from "../../src/etcd3/rpcs.js";
import type { HasHeader, V3Api, V3Call, V3Response, V3Stream } from "../../src/etcd3/v3-api.js";

/**
 * What happens to a write:
 * - `lose-request`: it does not arrive.
 * - `lose-response`: it is executed.
 * - `delay`: it is executed when {@link UnreliableApi.deliver} is called.
 */
export type Fate = "pass" | "lose-request" | "lose-response" | "delay";

/** etcd's v3 API on connections that break. The caller of a broken write gets an unknown outcome. */
export class UnreliableApi implements V3Api {
  readonly #api: V3Api;
  /** For each request of keys: the operations of its transaction if the comparisons are true. */
  readonly operations: number[] = [];
  readonly #delayed: (() => Promise<unknown>)[] = [];
  /** The fates of the next writes. Later ones pass. */
  fates: Fate[] = [];
  /** Number of the next reads that fail. */
  failingReads = 0;
  /** Called before each write. */
  beforeWrite: () => Promise<unknown> = async () => {};

  constructor(api: V3Api) {
    this.#api = api;
  }

  async call<Request, Response extends HasHeader>(
    rpc: Rpc<Request, Response>,
    request: MessageInit<Request>,
    call: V3Call,
  ): Promise<V3Response<Response>> {
    if (rpc.service === "KV") {
      const { success } = toJson(rpc.request, request);
      this.operations.push(Array.isArray(success) ? success.length : 1);
    }
    if (call.safety === "read") {
      if (this.failingReads-- > 0) throw new ClusterUnavailableError(call.operation, []);
      return await this.#api.call(rpc, request, call);
    }
    await this.beforeWrite();
    const send = () => this.#api.call(rpc, request, call);
    const fate = this.fates.shift() ?? "pass";
    if (fate === "pass") return await send();
    if (fate === "lose-response") await send();
    if (fate === "delay") this.#delayed.push(send);
    throw new OutcomeUnknownError(call.operation, "http://unreliable", new Error(fate));
  }

  /** Executes the delayed writes now. Returns the errors of those that etcd refused. */
  async deliver(): Promise<readonly unknown[]> {
    const results = await Promise.allSettled(this.#delayed.splice(0).map((send) => send()));
    return results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
  }

  watch(request: WatchCreateRequest, call: V3Call): Promise<V3Stream> {
    return this.#api.watch(request, call);
  }

  close(): void {
    this.#api.close();
  }
}
