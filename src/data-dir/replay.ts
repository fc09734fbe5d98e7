import { toHexId } from "../etcd3/hex-id.js";
import { readJson } from "../wire/json.js";
import { textOf } from "./bytes.js";
import type { Membership } from "./membership.js";
import {
  ConfChangeMessage,
  type Entry,
  RaftRequestMessage,
  type V2Request,
  V2RequestMessage,
} from "./messages.js";
import { requestOf } from "./v2-request.js";
import type { V2Store } from "./v2-store.js";

/** Types of entries. */
const REQUEST = 0;
const CONF_CHANGE = 1;

const METHODS: ReadonlySet<string> = new Set(["POST", "PUT", "DELETE", "QGET", "SYNC"]);

/** A path that etcd takes for the attributes of a member, wherever it is. */
const MEMBER_ATTRIBUTES = /\/0\/members\/([\da-f]{1,16})\/attributes/i;

const NANOSECONDS_PER_MILLISECOND = 1e6;

/** Numbers of v2 requests in raft's log. */
export interface RequestCounts {
  /** Reads and writes of keys. */
  readonly keys: number;
  /** Those of etcd about its members and the version of the cluster. */
  readonly membership: number;
  /** Health checks, removals of expired keys, and those of users and roles. */
  readonly other: number;
}

/** Applies entries of raft's log to a v2 store, like etcd. */
export class Replay {
  readonly store: V2Store;
  readonly membership: Membership;
  #keyRequests = 0;
  #otherRequests = 0;
  #membershipRequests = 0;
  #syncedAt: number | undefined;
  #ignored = 0;

  constructor(store: V2Store, membership: Membership) {
    this.store = store;
    this.membership = membership;
  }

  /** Number of v2 requests: for keys, etcd's own about members and the version, and others. */
  get requests(): RequestCounts {
    return {
      keys: this.#keyRequests,
      other: this.#otherRequests,
      membership: this.#membershipRequests,
    };
  }

  /** Time of the last removal of expired nodes, in milliseconds since 1970. */
  get syncedAt(): number | undefined {
    return this.#syncedAt;
  }

  /** Number of requests that would have ended etcd. */
  get ignored(): number {
    return this.#ignored;
  }

  /** @throws Error for an entry that etcd cannot have written */
  apply({ type, data }: Entry): void {
    if (type === CONF_CHANGE) this.membership.change(ConfChangeMessage.decode(data));
    else if (type !== REQUEST) throw new Error(`the entry has the unknown type ${type}`);
    // A new leader begins with an entry without data.
    else if (data.length > 0) this.#applyRequest(data);
  }

  #applyRequest(data: Buffer): void {
    const request = v2RequestOf(data);
    if (request !== undefined) {
      this.#applyV2(request);
      return;
    }
    const { clusterVersionSet, memberAttributesSet } = RaftRequestMessage.decode(data);
    if (clusterVersionSet !== undefined) {
      this.membership.setVersion(clusterVersionSet.version.toString("latin1"));
    } else if (memberAttributesSet !== undefined) {
      const { memberId, attributes } = memberAttributesSet;
      const { name = "", clientUrls: clientURLs = [] } = attributes ?? {};
      this.#setAttributes(toHexId(memberId), { name, clientURLs });
    }
  }

  #applyV2(request: V2Request): void {
    const path = request.path.toString("latin1");
    const method = request.method.toString("latin1");
    const isPlainSet =
      method === "PUT" &&
      request.prevExist.length === 0 &&
      request.prevIndex === "0" &&
      request.prevValue.length === 0;
    const member = isPlainSet ? MEMBER_ATTRIBUTES.exec(path)?.[1] : undefined;
    if (member !== undefined) {
      this.#membershipRequests++;
      this.#setAttributes(member.toLowerCase(), attributesOf(request));
    } else if (isPlainSet && path === "/0/version") {
      this.#membershipRequests++;
      this.membership.setVersion(request.value.toString("latin1"));
    } else {
      this.#applyUserRequest(method, path, request);
    }
  }

  #applyUserRequest(method: string, path: string, request: V2Request): void {
    if (/^\/1(\/|$)/.test(path)) this.#keyRequests++;
    else this.#otherRequests++;
    if (method === "SYNC") {
      this.#syncedAt = Number(request.time) / NANOSECONDS_PER_MILLISECOND;
      this.store.expire(this.#syncedAt);
      return;
    }
    const write = requestOf(method, path, request);
    if (write === undefined) return;
    const { key, action } = write.request;
    if (action === "update" && this.#updatesNoDirectories && this.store.isDirectory(key)) return;
    this.store.apply(write.request, write.expiration);
  }

  /** etcd 3.5 refuses to change the TTL of a directory. During an upgrade, the version is that of the oldest member. */
  get #updatesNoDirectories(): boolean {
    const [major = 0, minor = 0] = (this.membership.version ?? "").split(".").map(Number);
    return major === 3 && minor >= 5;
  }

  #setAttributes(id: string, attributes: unknown): void {
    if (!this.membership.setAttributes(id, attributes)) this.#ignored++;
  }
}

/** The v2 request of an entry, by itself or in the message that also has the requests of v3. */
function v2RequestOf(data: Buffer): V2Request | undefined {
  const request = V2RequestMessage.decode(data);
  // The other message has a message in place of the method.
  if (METHODS.has(request.method.toString("latin1"))) return request;
  return RaftRequestMessage.decode(data).v2;
}

function attributesOf({ value }: V2Request): unknown {
  try {
    return readJson(textOf(value.toString("latin1")));
  } catch {
    return undefined;
  }
}
