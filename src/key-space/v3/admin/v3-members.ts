import { AdminError } from "../../../errors/admin-error.js";
import { ProtocolError } from "../../../errors/cluster-errors.js";
import { V3RefusedError } from "../../../errors/v3-errors.js";
import { type RefusalReason, refusalReasonOf } from "../../../etcd3/error-messages.js";
import { toDecimalId, toHexId } from "../../../etcd3/hex-id.js";
import type { MessageInit } from "../../../etcd3/protobuf/message-type.js";
import { RPC, type Rpc } from "../../../etcd3/rpcs.js";
import type { HasHeader, V3Api } from "../../../etcd3/v3-api.js";
import type { Member } from "../../../model/cluster.js";
import type { CallOptions } from "../../call-options.js";
import type { MembersApi } from "../../cluster-api.js";
import { memberOf, membersOf } from "./member-of.js";

/** The members of the cluster, through the v3 API. */
export class V3Members implements MembersApi {
  readonly #api: V3Api;

  constructor(api: V3Api) {
    this.#api = api;
  }

  async list({ signal }: CallOptions = {}): Promise<readonly Member[]> {
    const call = { ...named("GET /v2/members"), safety: "read", scope: "local", signal } as const;
    return membersOf((await this.#api.call(RPC.memberList, {}, call)).message.members);
  }

  async leader(options: CallOptions = {}): Promise<Member> {
    const { signal } = options;
    const request = named("GET /v2/members/leader");
    const call = { ...request, safety: "read", scope: "local", signal } as const;
    const [members, { message, endpoint }] = await Promise.all([
      this.list(options),
      this.#api.call(RPC.status, {}, call),
    ]);
    const id = toHexId(message.leader);
    const leader = members.find((member) => member.id === id);
    if (leader === undefined)
      throw new AdminError(request.operation, endpoint, 503, "During election");
    return leader;
  }

  async add(peerURLs: readonly string[], options?: CallOptions): Promise<Member> {
    const operation = "POST /v2/members";
    const { member } = await this.#change(RPC.memberAdd, operation, { peerURLs }, options);
    if (member !== undefined) return memberOf(member);
    throw new ProtocolError(`${operation}: the response does not contain the new member`);
  }

  async update(id: string, peerURLs: readonly string[], options?: CallOptions): Promise<void> {
    const change = { ID: toDecimalId(id), peerURLs };
    await this.#change(RPC.memberUpdate, `PUT /v2/members/${id}`, change, options);
  }

  async remove(id: string, options?: CallOptions): Promise<void> {
    const change = { ID: toDecimalId(id) };
    await this.#change(RPC.memberRemove, `DELETE /v2/members/${id}`, change, options);
  }

  async #change<Request, Response extends HasHeader>(
    rpc: Rpc<Request, Response>,
    operation: string,
    change: MessageInit<Request>,
    { signal }: CallOptions = {},
  ): Promise<Response> {
    const call = { ...named(operation), safety: "write", scope: "quorum", signal } as const;
    try {
      return (await this.#api.call(rpc, change, call)).message;
    } catch (error) {
      throw error instanceof V3RefusedError ? adminError(error) : error;
    }
  }
}

function named(operation: string): { readonly operation: string; readonly key: string } {
  return { operation, key: "/" };
}

/** HTTP statuses of v2 by gRPC code: INVALID_ARGUMENT, NOT_FOUND, FAILED_PRECONDITION. */
const STATUSES: ReadonlyMap<number, number> = new Map([
  [3, 400],
  [5, 404],
  [9, 409],
]);

/** v2's messages, where they differ from those of v3. */
const V2_MESSAGES: ReadonlyMap<RefusalReason | undefined, string> = new Map([
  ["member-exists", "membership: ID exists"],
  ["peer-url-exists", "membership: peerURL exists"],
]);

/** A refusal with v2's message. */
function adminError(error: V3RefusedError): AdminError {
  const { operation, endpoint, grpcCode, detail } = error;
  const status = STATUSES.get(grpcCode) ?? 500;
  const id = operation.slice(operation.lastIndexOf("/") + 1);
  const message =
    status === 404 ? `No such member: ${id}` : (V2_MESSAGES.get(refusalReasonOf(error)) ?? detail);
  return new AdminError(operation, endpoint, status, message);
}
