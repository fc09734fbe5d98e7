import { AbortError } from "../../errors/abort-error.js";
import { AdminError } from "../../errors/admin-error.js";
import type { Member } from "../../model/cluster.js";
import { readMemberId } from "../../model/member-id.js";
import { PeerUrlError, readPeerUrls } from "../../model/peer-urls.js";
import type { CallOptions } from "../call-options.js";
import type { MembersApi } from "../cluster-api.js";
import { ENDPOINT } from "./memory-key-space.js";
import { randomId } from "./random-id.js";

/**
 * The member list of a one-member cluster in this process. Other members can be added and removed,
 * but never start. The running one stays leader and healthy.
 */
export class MemoryMembers implements MembersApi {
  readonly #members = new Map<string, Member>();
  readonly #removed = new Set<string>();
  readonly #ownId: string;
  #own: Member;

  constructor(own: Member) {
    this.#ownId = own.id;
    this.#own = own;
    this.#members.set(own.id, own);
  }

  /** The running member. */
  get own(): Member {
    return this.#own;
  }

  /** Changes the URLs of the running member. */
  announce(change: Partial<Pick<Member, "peerURLs" | "clientURLs">>): void {
    this.#own = { ...this.#own, ...change };
    this.#members.set(this.#ownId, this.#own);
  }

  async list({ signal }: CallOptions = {}): Promise<readonly Member[]> {
    refuseAborted(signal, "none");
    return [...this.#members.values()].sort((a, b) => (padded(a) < padded(b) ? -1 : 1));
  }

  async leader({ signal }: CallOptions = {}): Promise<Member> {
    refuseAborted(signal, "none");
    return this.#own;
  }

  async add(peerURLs: readonly string[], { signal }: CallOptions = {}): Promise<Member> {
    refuseAborted(signal, "not-sent");
    const operation = "add member";
    const urls = read(operation, peerURLs);
    this.#refuseTaken(operation, urls);
    const member: Member = { id: randomId(), name: "", peerURLs: urls, clientURLs: [] };
    this.#members.set(member.id, member);
    return member;
  }

  async update(
    id: string,
    peerURLs: readonly string[],
    { signal }: CallOptions = {},
  ): Promise<void> {
    refuseAborted(signal, "not-sent");
    const operation = `update member ${id}`;
    const urls = read(operation, peerURLs);
    // etcd has no message for this case.
    if (this.#wasRemoved(id)) throw refusal(operation, 500, "Internal Server Error");
    const member = this.#find(operation, id);
    this.#refuseTaken(operation, urls, member);
    if (member === this.#own) this.announce({ peerURLs: urls });
    else this.#members.set(member.id, { ...member, peerURLs: urls });
  }

  async remove(id: string, { signal }: CallOptions = {}): Promise<void> {
    refuseAborted(signal, "not-sent");
    const operation = `remove member ${id}`;
    if (this.#wasRemoved(id)) {
      throw refusal(operation, 410, `Member permanently removed: ${readMemberId(id)}`);
    }
    const member = this.#find(operation, id);
    // etcd refuses to remove the last started member, with this message.
    if (member === this.#own) throw refusal(operation, 500, "Internal Server Error");
    this.#members.delete(member.id);
    this.#removed.add(member.id);
  }

  #wasRemoved(id: string): boolean {
    return this.#removed.has(readMemberId(id) ?? "");
  }

  #find(operation: string, text: string): Member {
    const id = readMemberId(text);
    const member = this.#members.get(id ?? "");
    if (member === undefined) throw refusal(operation, 404, `No such member: ${id ?? text}`);
    return member;
  }

  #refuseTaken(operation: string, urls: readonly string[], except?: Member): void {
    const others = [...this.#members.values()].filter((member) => member !== except);
    const taken = new Set(others.flatMap(({ peerURLs }) => peerURLs));
    if (urls.some((url) => taken.has(url))) {
      throw refusal(operation, 409, "membership: peerURL exists");
    }
  }
}

/** @throws AbortError if the signal was aborted before the call */
export function refuseAborted(
  signal: AbortSignal | undefined,
  outcome: AbortError["outcome"],
): void {
  if (signal?.aborted === true)
    throw new AbortError("request for cluster information", signal.reason, outcome);
}

function read(operation: string, peerURLs: readonly string[]): readonly string[] {
  try {
    return readPeerUrls(peerURLs);
  } catch (error) {
    throw error instanceof PeerUrlError ? refusal(operation, 400, error.message) : error;
  }
}

function refusal(operation: string, status: number, detail: string): AdminError {
  return new AdminError(operation, ENDPOINT, status, detail);
}

/** Sorts IDs as numbers. */
function padded({ id }: Member): string {
  return id.padStart(16, "0");
}
