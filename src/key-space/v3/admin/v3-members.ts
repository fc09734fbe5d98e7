import { AdminError } from "../../../errors/admin-error.js";
import { V3RefusedError } from "../../../errors/v3-errors.js";
import { readMember, readMembers } from "../../../etcd3/read-members.js";
import type { V3Api, V3Response } from "../../../etcd3/v3-api.js";
import { readId, toDecimalId, toHexId } from "../../../etcd3/v3-json.js";
import type { Member } from "../../../model/cluster.js";
import { isObject } from "../../../wire/json.js";
import type { CallOptions } from "../../call-options.js";
import type { MembersApi } from "../../cluster-api.js";

/** The members of the cluster, through the v3 API. */
export class V3Members implements MembersApi {
  readonly #api: V3Api;

  constructor(api: V3Api) {
    this.#api = api;
  }

  async list({ signal }: CallOptions = {}): Promise<readonly Member[]> {
    const call = { ...named("GET /v2/members"), safety: "read", scope: "local", signal } as const;
    return readMembers((await this.#api.call("cluster/member/list", {}, call)).body);
  }

  async leader(options: CallOptions = {}): Promise<Member> {
    const { signal } = options;
    const request = named("GET /v2/members/leader");
    const call = { ...request, safety: "read", scope: "local", signal } as const;
    const [members, { body, endpoint }] = await Promise.all([
      this.list(options),
      this.#api.call("maintenance/status", {}, call),
    ]);
    const id = toHexId(readId(body.leader));
    const leader = members.find((member) => member.id === id);
    if (leader === undefined)
      throw new AdminError(request.operation, endpoint, 503, "During election");
    return leader;
  }

  async add(peerURLs: readonly string[], options?: CallOptions): Promise<Member> {
    const { body } = await this.#change("add", "POST /v2/members", { peerURLs }, options);
    return readMember(isObject(body.member) ? body.member : {});
  }

  async update(id: string, peerURLs: readonly string[], options?: CallOptions): Promise<void> {
    const change = { ID: toDecimalId(id), peerURLs };
    await this.#change("update", `PUT /v2/members/${id}`, change, options);
  }

  async remove(id: string, options?: CallOptions): Promise<void> {
    const change = { ID: toDecimalId(id) };
    await this.#change("remove", `DELETE /v2/members/${id}`, change, options);
  }

  async #change(
    verb: string,
    operation: string,
    change: object,
    { signal }: CallOptions = {},
  ): Promise<V3Response> {
    const call = { ...named(operation), safety: "write", scope: "quorum", signal } as const;
    try {
      return await this.#api.call(`cluster/member/${verb}`, change, call);
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

/** Messages of v2 by those of v3, where they differ. */
const V2_MESSAGES: ReadonlyMap<string, string> = new Map([
  ["etcdserver: member ID already exist", "membership: ID exists"],
  ["etcdserver: Peer URLs already exists", "membership: peerURL exists"],
]);

/** A refusal with v2's message. */
function adminError({ operation, endpoint, grpcCode, detail }: V3RefusedError): AdminError {
  const status = STATUSES.get(grpcCode) ?? 500;
  const id = operation.slice(operation.lastIndexOf("/") + 1);
  const message = status === 404 ? `No such member: ${id}` : (V2_MESSAGES.get(detail) ?? detail);
  return new AdminError(operation, endpoint, status, message);
}
