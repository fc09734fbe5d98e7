import { toHexId } from "../etcd3/hex-id.js";
import { isObject, readJson } from "../wire/json.js";
import { bytesOf, textOf } from "./bytes.js";
import type { V2Store } from "./v2-store.js";

const MEMBERS = "/0/members";
const REMOVED = "/0/removed_members";
const VERSION = "/0/version";

/** Maximum number of learners in etcd 3.4 and 3.5. */
const MAX_LEARNERS = 1;

/** A change of the membership, as raft's log has it. */
export interface ConfChange {
  readonly type: "addNode" | "removeNode" | "updateNode" | "addLearnerNode";
  readonly nodeId: string;
  readonly context: Buffer;
}

/** A member of a cluster. */
export interface Member {
  /** Hexadecimal. */
  readonly id: string;
  /** Empty for a member that never started. */
  readonly name: string;
  readonly peerURLs: readonly string[];
  readonly clientURLs: readonly string[];
  readonly isLearner: boolean;
}

interface RaftAttributes {
  readonly peerURLs: readonly string[];
  readonly isLearner?: true;
}

/** The members and the version of a cluster, in its v2 store. Each change increases the store's index. */
export class Membership {
  readonly #store: V2Store;
  readonly #voters: Set<string>;
  readonly #learners: Set<string>;

  /** Ids are hexadecimal. */
  constructor(store: V2Store, voters: readonly string[], learners: readonly string[]) {
    this.#store = store;
    this.#voters = new Set(voters);
    this.#learners = new Set(learners);
  }

  get voters(): readonly string[] {
    return [...this.#voters];
  }

  get learners(): readonly string[] {
    return [...this.#learners];
  }

  /** The version of the cluster, e.g. `3.5.0`. */
  get version(): string | undefined {
    return this.#store.value(VERSION);
  }

  /** The members, as far as the store has them. */
  get members(): readonly Member[] {
    return this.#store.children(MEMBERS).map((id) => {
      const { peerURLs = [], isLearner = false } = this.#raftAttributes(id) ?? {};
      const { name, clientURLs } = readAttributes(this.#store.value(`${MEMBERS}/${id}/attributes`));
      return { id, name, peerURLs, clientURLs, isLearner };
    });
  }

  /** Ids of removed members. */
  get removed(): readonly string[] {
    return this.#store.children(REMOVED);
  }

  setVersion(version: string): void {
    this.#store.apply({ action: "set", key: VERSION, value: version });
  }

  /** Sets name and client URLs. Etcd ends when it does not know the member; this method does nothing. */
  setAttributes(id: string, attributes: unknown): boolean {
    if (!isObject(attributes) || !this.#store.isDirectory(`${MEMBERS}/${id}`)) return false;
    const { name, clientURLs } = attributes;
    this.#set(id, "attributes", { ...(name !== "" && { name }), clientURLs });
    return true;
  }

  /** Applies a change, unless etcd rejects it. @throws Error for a change that etcd cannot have written */
  change({ type, nodeId, context }: ConfChange): void {
    const id = toHexId(nodeId);
    const isMember = this.#store.isDirectory(`${MEMBERS}/${id}`);
    if (this.#store.value(`${REMOVED}/${id}`) !== undefined) return;
    if (type === "removeNode") {
      if (isMember) this.#remove(id);
      return;
    }
    const given = readContext(context);
    if (type === "updateNode") {
      if (isMember && this.#areFree(given.peerURLs, id)) this.#update(id, given.peerURLs);
    } else if (given.isPromote) {
      if (isMember && this.#raftAttributes(id)?.isLearner) this.#promote(id);
    } else if (!isMember && this.#areFree(given.peerURLs, id) && this.#hasRoom(given)) {
      this.#add(id, given);
    }
  }

  #add(id: string, { peerURLs, isLearner }: Context): void {
    (isLearner ? this.#learners : this.#voters).add(id);
    const key = `${MEMBERS}/${id}/raftAttributes`;
    const value = jsonOf({ peerURLs, ...(isLearner && { isLearner }) });
    this.#store.apply({ action: "create", key, value });
  }

  #remove(id: string): void {
    this.#voters.delete(id);
    this.#learners.delete(id);
    this.#store.apply({ action: "delete", key: `${MEMBERS}/${id}`, recursive: true });
    this.#store.apply({ action: "create", key: `${REMOVED}/${id}`, value: "" });
  }

  #promote(id: string): void {
    this.#learners.delete(id);
    this.#voters.add(id);
    const { peerURLs = [] } = this.#raftAttributes(id) ?? {};
    this.#updateRaftAttributes(id, { peerURLs });
  }

  #update(id: string, peerURLs: readonly string[]): void {
    this.#updateRaftAttributes(id, { ...this.#raftAttributes(id), peerURLs });
  }

  #updateRaftAttributes(id: string, attributes: RaftAttributes): void {
    const key = `${MEMBERS}/${id}/raftAttributes`;
    this.#store.apply({ action: "update", key, value: jsonOf(attributes) });
  }

  #set(id: string, name: string, value: object): void {
    this.#store.apply({ action: "set", key: `${MEMBERS}/${id}/${name}`, value: jsonOf(value) });
  }

  #raftAttributes(id: string): RaftAttributes | undefined {
    const value = this.#store.value(`${MEMBERS}/${id}/raftAttributes`);
    if (value === undefined) return undefined;
    const { peerURLs, isLearner } = readContext(Buffer.from(value, "latin1"));
    return { peerURLs, ...(isLearner && { isLearner }) };
  }

  /** Whether no other member has one of these URLs. */
  #areFree(peerURLs: readonly string[], id: string): boolean {
    const others = this.#store.children(MEMBERS).filter((other) => other !== id);
    const taken = others.flatMap((other) => this.#raftAttributes(other)?.peerURLs ?? []);
    return !peerURLs.some((url) => taken.includes(url));
  }

  #hasRoom({ isLearner }: Context): boolean {
    return !isLearner || this.#learners.size < MAX_LEARNERS;
  }
}

interface Context {
  readonly peerURLs: readonly string[];
  readonly isLearner: boolean;
  readonly isPromote: boolean;
}

/** @throws Error when it is not the JSON of a member */
function readContext(json: Buffer): Context {
  const value = readJson(json.toString());
  if (!isObject(value)) throw new Error("a change of the membership has no member");
  const { peerURLs, isLearner, isPromote } = value;
  return {
    peerURLs: textsOf(peerURLs),
    isLearner: isLearner === true,
    isPromote: isPromote === true,
  };
}

function readAttributes(json: string | undefined): Pick<Member, "name" | "clientURLs"> {
  const value = readJson(textOf(json ?? "{}"));
  const { name, clientURLs } = isObject(value) ? value : {};
  return { name: typeof name === "string" ? name : "", clientURLs: textsOf(clientURLs) };
}

function textsOf(list: unknown): readonly string[] {
  const items: readonly unknown[] = Array.isArray(list) ? list : [];
  return items.filter((item) => typeof item === "string");
}

function jsonOf(value: object): string {
  return bytesOf(JSON.stringify(value));
}
