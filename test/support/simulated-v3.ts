import { setImmediate as nextTurn } from "node:timers/promises";
import { ClusterUnavailableError } from "../../src/errors/cluster-errors.js";
import { fromJson, toJson } from "../../src/etcd3/json-form.js";
import type { MessageInit } from "../../src/etcd3/protobuf/message-type.js";
import {
  RPC,
  type Rpc,
  type WatchCreateRequest,
  type WatchResponse,
} from "../../src/etcd3/rpcs.js";
import {
  type HasHeader,
  type V3Api,
  type V3Call,
  V3Response,
  type V3Stream,
} from "../../src/etcd3/v3-api.js";
import { KeySchema } from "../../src/key-space/v3/schema/key-schema.js";
import { AsyncQueue } from "../../src/stream/async-queue.js";
import type { Clock } from "../../src/time/clock.js";
import { systemClock } from "../../src/time/clock.js";
import type { JsonObject } from "../../src/wire/json.js";
import { fromBase64, toBase64 } from "./base64.js";

/** A change of a key. Key and value are text. Without a value, the key is deleted. */
export interface SimulatedChange {
  readonly key: string;
  readonly value?: string;
}

interface Kv extends JsonObject {
  readonly key: string;
  readonly mod_revision: string;
  readonly create_revision?: string;
  readonly value?: string;
}

interface SimulatedEvent extends JsonObject {
  readonly type?: "DELETE";
  readonly kv: Kv;
}

interface WatchRequest {
  readonly key: string;
  readonly range_end: string;
  readonly start_revision: number;
  readonly fragment: boolean;
}

/** Milliseconds. Longest latency. */
const MAX_LATENCY = 20;
/** Number of revisions that etcd puts into one message of a watch that catches up. */
const REVISIONS_TOGETHER = 1_000;

/**
 * Simulates etcd's v3 API with a store in memory: ranges, puts, watches from past revisions, compaction,
 * members that lag, and the replacement of the store under the same cluster id. Comparisons always
 * succeed. Messages are kept in their JSON form.
 */
export class SimulatedV3 implements V3Api {
  readonly clock: Clock;
  /** The create requests of the watches. */
  readonly opened: WatchRequest[] = [];
  readonly streams = new Set<SimulatedV3Stream>();
  /** Paths of the calls. */
  readonly calls: string[] = [];
  /** Whether every call fails. */
  refuses = false;
  /** Revision that the member of the watches has applied. Absent: the latest one. */
  lag: number | undefined;
  readonly #random: (() => number) | undefined;
  /** Number of replacements of the store. Headers show it in the Raft term. */
  #replacements = 0;
  /** The events of each revision, from revision 2 on. */
  #log: (readonly SimulatedEvent[])[] = [];
  #kvs = new Map<string, Kv>();
  #compacted = 0;

  /** Without `random`, there is no latency. */
  constructor(clock: Clock = systemClock, random?: () => number) {
    this.clock = clock;
    this.#random = random;
  }

  get revision(): number {
    return this.#log.length + 1;
  }

  /** Makes changes in one revision. @returns the revision */
  commit(...changes: readonly SimulatedChange[]): number {
    const revision = `${this.revision + 1}`;
    this.#log.push(changes.map((change) => this.#change(toBase64(change.key), change, revision)));
    if (this.lag === undefined) for (const stream of this.streams) stream.send();
    return this.revision;
  }

  compact(revision: number): void {
    this.#compacted = Math.max(this.#compacted, Math.min(revision, this.revision));
  }

  /** Replaces the store with one that ends at `revision` of this one. */
  replace(revision: number): void {
    this.cut();
    this.#replacements++;
    this.#log = this.#log.slice(0, revision - 1);
    this.#kvs = this.#at(this.revision);
    this.#compacted = Math.min(this.#compacted, revision);
    this.lag = undefined;
  }

  /** Breaks the connections of all watches. */
  cut(): void {
    for (const stream of this.streams) stream.break();
  }

  catchUp(): void {
    this.lag = undefined;
    for (const stream of this.streams) stream.send();
  }

  async call<Request, Response extends HasHeader>(
    rpc: Rpc<Request, Response>,
    request: MessageInit<Request>,
    call: V3Call,
  ): Promise<V3Response<Response>> {
    this.calls.push(rpc.path);
    await this.#addLatency();
    if (this.refuses) throw new ClusterUnavailableError(call.operation, []);
    const body = this.#respond(rpc.path, toJson(rpc.request, request));
    const message = { header: this.header(this.revision), ...body };
    await this.#addLatency();
    return new V3Response(fromJson(rpc.response, message), "http://simulated");
  }

  async watch(create_request: WatchCreateRequest, call: V3Call): Promise<V3Stream> {
    const { create_request: request } = toJson(RPC.watch.request, { create_request }) as {
      readonly create_request: WatchRequest;
    };
    this.opened.push(request);
    await this.#addLatency();
    if (this.refuses) throw new ClusterUnavailableError(call.operation, []);
    const stream = new SimulatedV3Stream(this, request, call);
    this.streams.add(stream);
    stream.begin();
    return stream;
  }

  close(): void {
    for (const stream of this.streams) stream.close();
  }

  /** The messages of a watch from the revision `from` on. */
  messages(from: number, { key, range_end }: WatchRequest): readonly JsonObject[] {
    if (from < this.#compacted) {
      return [
        {
          header: this.header(this.revision),
          canceled: true,
          compact_revision: `${this.#compacted}`,
        },
      ];
    }
    const messages: JsonObject[] = [];
    const end = this.lag ?? this.revision;
    for (let first = from; first <= end; first += REVISIONS_TOGETHER) {
      const events: JsonObject[] = [];
      for (let at = Math.max(2, first); at <= end && at < first + REVISIONS_TOGETHER; at++) {
        const changed = this.#log[at - 2] ?? [];
        events.push(...changed.filter(({ kv }) => isIn(kv.key, key, range_end)));
      }
      if (events.length > 0) messages.push({ header: this.header(end), events });
    }
    return messages;
  }

  header(revision: number): JsonObject {
    return {
      cluster_id: "1",
      member_id: "1",
      revision: `${revision}`,
      raft_term: `${1 + this.#replacements}`,
    };
  }

  /** The latency of the next message, in milliseconds. */
  delay(): number {
    return this.#random === undefined ? 0 : 1 + Math.floor((this.#random() * MAX_LATENCY) / 2);
  }

  #change(key: string, { value }: SimulatedChange, mod_revision: string): SimulatedEvent {
    const prev_kv = this.#kvs.get(key);
    const before = prev_kv && { prev_kv };
    if (value === undefined) {
      this.#kvs.delete(key);
      return { type: "DELETE", kv: { key, mod_revision }, ...before };
    }
    const create_revision = prev_kv?.create_revision ?? mod_revision;
    const kv = { key, value: toBase64(value), create_revision, mod_revision };
    this.#kvs.set(key, kv);
    return { kv, ...before };
  }

  #respond(path: string, body: JsonObject): JsonObject {
    if (path === "kv/range") return this.#range(body);
    if (path === "lease/timetolive") return { TTL: "-1" };
    if (path === "kv/put") {
      this.commit({ key: fromBase64(body.key), value: fromBase64(body.value) });
      return {};
    }
    const operations = body.success as readonly Record<string, JsonObject>[];
    const puts = operations.flatMap(({ request_put: put }) => (put === undefined ? [] : [put]));
    if (puts.length > 0) {
      this.commit(
        ...puts.map(({ key, value }) => ({ key: fromBase64(key), value: fromBase64(value) })),
      );
    }
    const responses = operations.map(({ request_range: range }) =>
      range === undefined ? { response_put: {} } : { response_range: this.#range(range) },
    );
    return { succeeded: true, responses };
  }

  #range({ key, range_end = "", revision, limit = 0 }: JsonObject): JsonObject {
    const at = Number(revision ?? 0);
    const kvs = at > 0 ? this.#at(at) : this.#kvs;
    const found = [...kvs.values()]
      .filter((kv) => isIn(kv.key, String(key), String(range_end)))
      .sort((a, b) => Buffer.compare(bytesOf(a.key), bytesOf(b.key)));
    const maxCount = Number(limit) || found.length;
    return { kvs: found.slice(0, maxCount), more: found.length > maxCount };
  }

  /** Every key at a revision. */
  #at(revision: number): Map<string, Kv> {
    const kvs = new Map<string, Kv>();
    for (const { type, kv } of this.#log.slice(0, revision - 1).flat()) {
      if (type === "DELETE") kvs.delete(kv.key);
      else kvs.set(kv.key, kv);
    }
    return kvs;
  }

  #addLatency(): Promise<void> {
    const delay = this.delay();
    if (delay === 0) return nextTurn();
    return new Promise((resolve) => this.clock.after(delay, resolve));
  }
}

/** One watch. Messages arrive in order, each with some latency. */
export class SimulatedV3Stream implements V3Stream {
  readonly endpoint = "http://simulated";
  received = 0;
  readonly #api: SimulatedV3;
  readonly #request: WatchRequest;
  readonly #arrived = new AsyncQueue<JsonObject>();
  readonly #call: V3Call;
  #next: number;
  #inTransit: JsonObject[] = [];
  #arrivalAt = 0;
  /** Whether nothing arrives although the connection is open. */
  isFrozen = false;
  #ended = false;

  constructor(api: SimulatedV3, request: WatchRequest, call: V3Call) {
    this.#api = api;
    this.#request = request;
    this.#call = call;
    this.#next = Number(request.start_revision);
    call.signal?.addEventListener("abort", this.#onAbort);
  }

  begin(): void {
    const { lag, revision } = this.#api;
    this.#push({ header: this.#api.header(lag ?? revision), created: true });
    this.send();
  }

  /** Sends the events since the last call. */
  send(): void {
    const { lag, revision } = this.#api;
    for (const message of this.#api.messages(this.#next, this.#request)) this.#push(message);
    this.#next = Math.max(this.#next, (lag ?? revision) + 1);
  }

  thaw(): void {
    this.isFrozen = false;
    this.#arrive();
  }

  /** Breaks the connection. Messages in transit are lost. */
  break(): void {
    this.#end(new ClusterUnavailableError(this.#call.operation, []));
  }

  async next(): Promise<WatchResponse | undefined> {
    const message = (await this.#arrived.next()).value;
    return message && fromJson(RPC.watch.response, message);
  }

  close(): void {
    this.#end();
  }

  readonly #onAbort = (): void => {
    this.#end(new ClusterUnavailableError(this.#call.operation, []));
  };

  #push(message: JsonObject): void {
    this.#inTransit.push(message);
    const now = this.#api.clock.monotonic();
    this.#arrivalAt = Math.max(this.#arrivalAt, now + this.#api.delay());
    if (this.#arrivalAt === now) this.#arrive();
    else this.#api.clock.after(this.#arrivalAt - now, () => this.#arrive());
  }

  #arrive(): void {
    if (this.isFrozen || this.#ended) return;
    const now = this.#api.clock.monotonic();
    if (this.#arrivalAt > now) return;
    for (const message of this.#inTransit.splice(0)) {
      this.received++;
      this.#arrived.put(message);
    }
  }

  #end(failure?: Error): void {
    this.#ended = true;
    this.#api.streams.delete(this);
    this.#call.signal?.removeEventListener("abort", this.#onAbort);
    if (failure === undefined) this.#arrived.discard();
    else this.#arrived.end(failure);
  }
}

/** The key of a record, such as the offset. */
export function recordKey(name: "offset" | "heartbeat"): string {
  return new KeySchema()[name].toString();
}

function isIn(name: string, key: string, end: string): boolean {
  if (end === "") return name === key;
  const bytes = bytesOf(name);
  return Buffer.compare(bytes, bytesOf(key)) >= 0 && Buffer.compare(bytes, bytesOf(end)) < 0;
}

function bytesOf(base64: string): Buffer {
  return Buffer.from(base64, "base64");
}
