import { OutcomeUnknownError, ProtocolError } from "../errors/cluster-errors.js";
import type { MessageInit } from "./protobuf/message-type.js";
import {
  type Compare,
  type RequestOp,
  RPC,
  type Rpc,
  type TxnRequest,
  type TxnResponse,
  type WatchCreateRequest,
} from "./rpcs.js";
import { type HasHeader, type V3Api, type V3Call, V3Response, type V3Stream } from "./v3-api.js";

/** Decides about the writes of a {@link GuardedV3Api}. */
export interface Guard {
  /** What must be true for a write. The same object as long as nothing has changed. */
  conditions(): Promise<readonly Compare[]>;
  /**
   * Makes writes that were sent with the current guard, and have not arrived yet, void. Called when the outcome of a write
   * is unknown, before it is reported.
   */
  voidSent(): Promise<void>;
}

/** The conditions of the guard are not met: nothing was written, and nothing more will be. */
export class GuardLostError extends Error {
  constructor() {
    super("another process has taken over; nothing was written");
  }
}

/**
 * An API whose writes of keys are carried out only while a guard's conditions are met. A write whose outcome is unknown
 * is never carried out later, once the error is reported.
 */
export class GuardedV3Api implements V3Api {
  readonly #api: V3Api;
  readonly #guard: Guard;

  constructor(api: V3Api, guard: Guard) {
    this.#api = api;
    this.#guard = guard;
  }

  /** @throws GuardLostError, and the errors of the API */
  async call<Request, Response extends HasHeader>(
    rpc: Rpc<Request, Response>,
    request: MessageInit<Request>,
    call: V3Call,
  ): Promise<V3Response<Response>> {
    const write = writeOf(rpc, request as object);
    if (write === undefined) return await this.#api.call(rpc, request, call);
    const { message, header, endpoint } = await this.#send(write, call);
    const [done] = message.responses;
    const result: HasHeader | undefined =
      done?.response_txn ?? done?.response_put ?? done?.response_delete_range;
    if (result === undefined) throw new ProtocolError("the response of the v3 API has no result");
    return new V3Response({ ...(result as Response), header }, endpoint);
  }

  watch(request: WatchCreateRequest, call: V3Call): Promise<V3Stream> {
    return this.#api.watch(request, call);
  }

  close(): void {
    this.#api.close();
  }

  async #send(write: RequestOp, call: V3Call): Promise<V3Response<TxnResponse>> {
    for (;;) {
      const conditions = await this.#guard.conditions();
      const guarded: TxnRequest = { compare: conditions, success: [write] };
      try {
        const response = await this.#api.call(RPC.txn, guarded, call);
        if (response.message.succeeded) return response;
      } catch (error) {
        if (error instanceof OutcomeUnknownError) await this.#guard.voidSent();
        throw error;
      }
      if (conditions === (await this.#guard.conditions())) throw new GuardLostError();
    }
  }
}

/** The operation that a write of keys is as a part of a transaction; `undefined` for everything else. */
function writeOf(
  { path }: Pick<Rpc<unknown, unknown>, "path">,
  request: object | undefined,
): RequestOp | undefined {
  if (path === RPC.put.path) return { request_put: request };
  if (path === RPC.deleteRange.path) return { request_delete_range: request };
  return path === RPC.txn.path && hasWrites(request ?? {}) ? { request_txn: request } : undefined;
}

function hasWrites({ success = [], failure = [] }: TxnRequest): boolean {
  return [...success, ...failure].some(
    ({ request_put: put, request_delete_range: removal, request_txn: txn }) =>
      put !== undefined || removal !== undefined || (txn !== undefined && hasWrites(txn)),
  );
}
