import { AbortError } from "../../src/errors/abort-error.js";
import { ClusterUnavailableError, TimeoutError } from "../../src/errors/cluster-errors.js";
import { errorDefinition, serverErrorOf } from "../../src/errors/error-table.js";
import type { CallOptions } from "../../src/key-space/call-options.js";
import type { KeySpace, KeyWatch } from "../../src/key-space/key-space.js";
import type {
  Probe,
  Scan,
  WatchRequests,
} from "../../src/key-space/remote/watch/watch-requests.js";
import { matchesWatch } from "../../src/key-space/shared/matches-watch.js";
import type { SubscribeRequest, Subscription } from "../../src/key-space/subscription.js";
import type { ScanRequest, WatchRequest } from "../../src/model/key-request.js";
import type { Action, EtcdResponse, ResponseOrigin } from "../../src/model/response.js";
import { AsyncQueue } from "../../src/stream/async-queue.js";
import { onAbort as listen } from "../../src/stream/on-abort.js";
import type { SimulatedClock } from "../support/simulated-clock.js";
import { WatchSessionSubscriptions } from "../support/watch-session-subscription.js";

/** Number of indexes in a member's history. */
export const HISTORY = 300;
/** Number of events that wait for a slow reader before it is dropped. */
const READER_BUFFER = 100;
/** Milliseconds. Longest latency without a fault. */
const MAX_LATENCY = 20;
/** Milliseconds after which a read from an isolated member times out. */
const TIME_OUT = 1_000;
/** Milliseconds that a scan waits if history has no matching event. */
const SETTLE = 20;
/** Milliseconds after which a scan that does not end times out. */
const SCAN_TIME_OUT = 5_000;
/** Share of the scans through a faulty proxy that end without an event that history has. */
const FAULTY_SCANS = 0.5;

/** Which server responds. etcd has one event per index; a gateway can have several, of which a poll or scan returns one. */
export type Server = "etcd" | "gateway";

/** A proxy between the client and the members. Its faults affect connections that were opened for a watch. */
export interface Intermediary {
  /** What happens to new streams after their response head. */
  streams: "pass" | "dead" | "buffered";
  /** How scans end that find no event. */
  scans: "clean" | "unclean" | "hang";
}

/** The fields of a change that tests compare. */
export interface Committed {
  readonly key: string;
  readonly index: number;
  readonly committedAt: number;
}

/** One index and its events. */
interface Entry {
  readonly index: number;
  readonly events: readonly EtcdResponse[];
  readonly committedAt: number;
}

interface Member {
  readonly url: string;
  applied: number;
  isolated: boolean;
  lagging: boolean;
  readonly watches: Set<SimulatedWatch>;
}

/**
 * Simulates three members that behave like etcd: they send the response head before the events,
 * search history by text prefix, and drop slow readers of streams silently. Events are in order
 * within a connection, but not between connections.
 */
export class SimulatedCluster implements KeySpace, WatchRequests {
  readonly #subscriptions: WatchSessionSubscriptions;
  readonly #clock: SimulatedClock;
  readonly #random: () => number;
  readonly #server: Server;
  readonly proxy: Intermediary = { streams: "pass", scans: "clean" };
  #generation = 1;
  #log: Entry[] = [];
  #members: readonly Member[] = this.#newMembers();
  refuses = false;
  /** Number of watches and scans that failed because history no longer had their index. */
  cleared = 0;

  constructor(clock: SimulatedClock, random: () => number, server: Server) {
    this.#clock = clock;
    this.#random = random;
    this.#server = server;
    this.#subscriptions = new WatchSessionSubscriptions(this, this, clock);
  }

  subscribe(request: SubscribeRequest, { signal }: CallOptions = {}): Subscription {
    return this.#subscriptions.open(request, signal);
  }

  get clusterId(): string {
    return `c${this.#generation}`;
  }

  get index(): number {
    return this.#log.length;
  }

  /** Every change since the last {@link rebuild} that matches the request, and its time. */
  eventsOf(request: WatchRequest): readonly Committed[] {
    return this.#log.flatMap(({ events, index, committedAt }) =>
      events
        .filter((event) => matchesWatch(request, event))
        .map(({ node }) => ({ key: node.key, index, committedAt })),
    );
  }

  get watches(): readonly SimulatedWatch[] {
    return this.#members.flatMap(({ watches }) => [...watches]);
  }

  /** Makes one change. Several keys change at one index, as only etcd v3 can do. */
  commit(action: Action, ...keys: readonly string[]): void {
    const index = this.#log.length + 1;
    const events = keys.map((key) => ({
      action,
      node: {
        ...{ key, modifiedIndex: index, createdIndex: index },
        ...(action === "delete" ? { dir: true as const } : { value: `${index}` }),
      },
      etcdServer: "",
      etcdClusterId: this.clusterId,
      etcdIndex: index,
      raftIndex: index,
      raftTerm: 1,
    }));
    this.#log.push({ index, events, committedAt: this.#clock.monotonic() });
    for (const member of this.#members) {
      if (!member.isolated && !member.lagging) this.#catchUp(member);
    }
  }

  isolate(member: number): void {
    this.#member(member).isolated = true;
  }

  lag(member: number): void {
    this.#member(member).lagging = true;
  }

  heal(): void {
    this.refuses = false;
    this.proxy.streams = "pass";
    this.proxy.scans = "clean";
    for (const member of this.#members) {
      member.isolated = false;
      member.lagging = false;
      this.#catchUp(member);
    }
  }

  /** Replaces this cluster with an empty one. */
  rebuild(): void {
    for (const watch of this.watches) watch.cut();
    this.#generation++;
    this.#log = [];
    this.#members = this.#newMembers();
  }

  async execute(request: { readonly key: string }, options?: CallOptions): Promise<EtcdResponse> {
    await this.#addLatency(options?.signal);
    if (this.refuses) throw new ClusterUnavailableError("GET", []);
    const index = this.#log.length;
    const { clusterId } = this;
    await this.#addLatency(options?.signal);
    const node = { key: request.key, dir: true as const, modifiedIndex: 1, createdIndex: 1 };
    const origin = { etcdServer: "", etcdClusterId: clusterId, raftIndex: 0, raftTerm: 0 };
    return { action: "get", node, etcdIndex: index, ...origin };
  }

  async openWatch(request: WatchRequest, options: CallOptions = {}): Promise<KeyWatch> {
    const { signal } = options;
    await this.#addLatency(signal);
    const member = this.#anyMember();
    const watch = new SimulatedWatch(this, this.#clock, this.#random, member, request, signal);
    if (request.stream === true && this.proxy.streams !== "pass") {
      watch.harm(this.proxy.streams);
    }
    this.#register(watch, member, request);
    await this.#addLatency(signal);
    return watch;
  }

  #anyMember(): Member {
    const usable = this.#members.filter(({ isolated }) => !isolated || this.#random() < 0.3);
    const member = usable[Math.floor(this.#random() * usable.length)];
    if (this.refuses || member === undefined) throw new ClusterUnavailableError("GET", []);
    return member;
  }

  /** A gateway also refuses a poll that would skip some events of the previous index. */
  #refuseCleared(member: Member, waitIndex: number, request: WatchRequest): void {
    const isHeld = waitIndex >= member.applied - HISTORY + 1;
    const before = this.#log[waitIndex - 2]?.events ?? [];
    const wouldSkip =
      this.#server === "gateway" && before.filter((event) => isFound(request, event)).length > 1;
    if (isHeld && !wouldSkip) return;
    this.cleared++;
    throw serverErrorOf({
      ...{ ...errorDefinition(401), errorCode: 401, detail: "", key: "", endpoint: "" },
      ...{ index: member.applied, operation: "GET", clusterId: this.clusterId },
    });
  }

  async scan(request: ScanRequest, options: CallOptions = {}): Promise<Scan> {
    const { signal } = options;
    await this.#addLatency(signal);
    const member = this.#anyMember();
    const { key, recursive, since, partial = false } = request;
    const fromIndex = partial ? since + 1 : since;
    this.#refuseCleared(member, fromIndex, { key, recursive });
    const origin = { ...NOWHERE, etcdServer: member.url, etcdClusterId: this.clusterId };
    const head = { ...origin, etcdIndex: member.applied };
    const { scans } = this.proxy;
    if (scans !== "clean" && this.#random() < FAULTY_SCANS) {
      await this.#wait(scans === "hang" ? SCAN_TIME_OUT : SETTLE, signal);
      return { ...head, events: [], provenIndex: undefined };
    }
    const found = this.#find(request, fromIndex, member.applied);
    await this.#wait(found.length === 0 ? SETTLE : 0, signal);
    await this.#addLatency(signal);
    const [first] = found;
    if (first === undefined) {
      return { ...head, events: [], provenIndex: scans === "clean" ? head.etcdIndex : undefined };
    }
    return { ...head, events: [first], provenIndex: first.node.modifiedIndex - 1 };
  }

  #find(request: ScanRequest, from: number, to: number): readonly EtcdResponse[] {
    const entries = this.#log.slice(from - 1, to);
    return entries.flatMap(({ events }) => events.filter((event) => isFound(request, event)));
  }

  /** A quorum read at one member. */
  async probe(endpoint: string, request: WatchRequest, { signal }: CallOptions): Promise<Probe> {
    const member = this.#members.find(({ url }) => url === endpoint);
    await this.#addLatency(signal);
    if (member === undefined) throw new ClusterUnavailableError("GET", []);
    if (member.isolated) {
      await this.#wait(TIME_OUT, signal);
      throw new TimeoutError("isolated", TIME_OUT);
    }
    if (!this.#members.includes(member)) throw new ClusterUnavailableError("GET", []);
    this.#catchUp(member);
    const { applied: index } = member;
    const etcdClusterId = this.clusterId;
    const fileIndex = request.recursive === true ? undefined : this.#fileIndexOf(request.key);
    await this.#addLatency(signal);
    return { etcdClusterId, index, fileIndex };
  }

  /** `modifiedIndex` of a file, if it exists. */
  #fileIndexOf(key: string): number | undefined {
    const last = this.#log.findLast(({ events }) =>
      events.some((event) => matchesWatch({ key }, event)),
    );
    return last?.events.some(({ action }) => action === "delete") ? undefined : last?.index;
  }

  async close(): Promise<void> {
    this.#subscriptions.close();
  }

  #register(watch: SimulatedWatch, member: Member, request: WatchRequest): void {
    const { waitIndex, stream } = request;
    if (stream === true && waitIndex !== undefined) throw new Error("a stream from the past");
    if (waitIndex !== undefined) this.#refuseCleared(member, waitIndex, request);
    const since = waitIndex ?? member.applied + 1;
    for (const entry of this.#log.slice(since - 1, member.applied)) {
      if (watch.takeFromHistory(entry.events)) return;
    }
    member.watches.add(watch);
  }

  #catchUp(member: Member): void {
    for (const { events } of this.#log.slice(member.applied)) {
      member.applied++;
      for (const watch of [...member.watches]) watch.take(events);
    }
  }

  #addLatency(signal: AbortSignal | undefined): Promise<void> {
    return this.#wait(Math.floor(this.#random() * MAX_LATENCY) / 2, signal);
  }

  #wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        cancel();
        reject(new AbortError("simulated", signal?.reason, "none"));
      };
      const cancel = this.#clock.after(milliseconds, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      if (signal?.aborted === true) onAbort();
      else if (signal !== undefined) listen(signal, onAbort);
    });
  }

  #member(number: number): Member {
    const member = this.#members[number % this.#members.length];
    if (member === undefined) throw new Error("no member");
    return member;
  }

  #newMembers(): readonly Member[] {
    return [0, 1, 2].map((number) => ({
      url: `m${number}`,
      applied: 0,
      isolated: false,
      lagging: false,
      watches: new Set(),
    }));
  }
}

/** One connection. Events arrive in order, each with some latency. */
export class SimulatedWatch implements KeyWatch {
  readonly etcdServer: string;
  readonly etcdClusterId: string;
  readonly etcdIndex: number;
  readonly raftIndex = 0;
  readonly raftTerm = 0;
  readonly #clock: SimulatedClock;
  readonly #random: () => number;
  readonly #member: Member;
  readonly #request: WatchRequest;
  readonly #arrived = new AsyncQueue<EtcdResponse>();
  readonly #signal: AbortSignal | undefined;
  #inTransit: EtcdResponse[] = [];
  #arrivalAt = 0;
  #stalledUntil = 0;
  #endsWhenEmpty = false;
  #isDead = false;

  constructor(
    cluster: SimulatedCluster,
    clock: SimulatedClock,
    random: () => number,
    member: Member,
    request: WatchRequest,
    signal: AbortSignal | undefined,
  ) {
    this.etcdServer = member.url;
    this.etcdClusterId = cluster.clusterId;
    this.etcdIndex = member.applied;
    this.#clock = clock;
    this.#random = random;
    this.#member = member;
    this.#request = request;
    this.#signal = signal;
    if (signal !== undefined) listen(signal, this.#onAbort);
  }

  get provenIndex(): number {
    return (this.#request.waitIndex ?? this.etcdIndex + 1) - 1;
  }

  get isStream(): boolean {
    return this.#request.stream === true;
  }

  /** From now on, sent events are lost or withheld, and neither side gets an error. */
  harm(how: "dead" | "buffered"): void {
    if (how === "dead") this.#isDead = true;
    if (how === "buffered") this.stall(Number.POSITIVE_INFINITY);
  }

  takeFromHistory(events: readonly EtcdResponse[]): boolean {
    return this.#send(events.filter((event) => isFound(this.#request, event)));
  }

  take(events: readonly EtcdResponse[]): void {
    const { waitIndex = 0 } = this.#request;
    const matching = events.filter(
      (event) => event.node.modifiedIndex >= waitIndex && matchesWatch(this.#request, event),
    );
    const twice = this.isStream && matching.some(({ action }) => action === "delete");
    this.#send(twice ? [...matching, ...matching] : matching);
  }

  /** Delays events that are sent from now on. */
  stall(milliseconds: number): void {
    if (this.#inTransit.length > 0) return;
    this.#stalledUntil = this.#clock.monotonic() + milliseconds;
  }

  /** Delivers the withheld events. */
  release(): void {
    if (this.#stalledUntil !== Number.POSITIVE_INFINITY) return;
    this.#stalledUntil = 0;
    this.#arrivalAt = 0;
    this.#arriveAll();
    if (this.#endsWhenEmpty) this.#arrived.end();
  }

  /** Breaks the connection. Delayed events still arrive; events in transit are lost. */
  cut(): void {
    if (this.#isDead) return;
    if (this.#stalledUntil > this.#clock.monotonic()) this.#arriveAll();
    this.#leave();
    this.#arrived.end(new ClusterUnavailableError("GET", []));
  }

  /** Delivers the events in transit, and ends the response without an error. */
  end(): void {
    if (this.#isDead) return;
    this.#arriveAll();
    this.#leave();
    this.#arrived.end();
  }

  close(): void {
    this.#giveUp();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<EtcdResponse, void, undefined> {
    try {
      for (let next = await this.#arrived.next(); !next.done; next = await this.#arrived.next()) {
        yield next.value;
      }
    } finally {
      this.close();
    }
  }

  readonly #onAbort = (): void => {
    this.#giveUp(new AbortError("simulated", this.#signal?.reason, "none"));
  };

  #giveUp(failure?: Error): void {
    this.#leave();
    this.#arrived.discard(failure);
  }

  #leave(): void {
    this.#member.watches.delete(this);
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#inTransit = [];
  }

  #send(found: readonly EtcdResponse[]): boolean {
    const events = this.isStream ? found : found.slice(0, 1);
    if (events.length === 0) return false;
    if (this.#isDead) {
      if (!this.isStream) this.#member.watches.delete(this);
      return true;
    }
    if (this.#inTransit.length + events.length > READER_BUFFER) {
      this.#member.watches.delete(this);
      return true;
    }
    this.#inTransit.push(...events);
    if (!this.isStream) {
      this.#endsWhenEmpty = true;
      this.#member.watches.delete(this);
    }
    const arrivalAt = this.#clock.monotonic() + Math.floor(this.#random() * MAX_LATENCY);
    this.#arrivalAt = Math.max(this.#arrivalAt, this.#stalledUntil, arrivalAt);
    const wait = this.#arrivalAt - this.#clock.monotonic();
    if (wait === Number.POSITIVE_INFINITY) return true;
    for (const _ of events) this.#clock.after(wait, () => this.#arrive());
    return true;
  }

  #arrive(): void {
    const wait = this.#stalledUntil - this.#clock.monotonic();
    if (wait === Number.POSITIVE_INFINITY) return;
    if (wait > 0) {
      this.#clock.after(wait, () => this.#arrive());
      return;
    }
    const event = this.#inTransit.shift();
    if (event !== undefined) this.#arrived.put(event);
    if (this.#inTransit.length === 0 && this.#endsWhenEmpty) this.#arrived.end();
  }

  #arriveAll(): void {
    for (const event of this.#inTransit) this.#arrived.put(event);
    this.#inTransit = [];
  }
}

const NOWHERE: Omit<ResponseOrigin, "etcdIndex"> = {
  ...{ etcdServer: "", etcdClusterId: "", raftIndex: 0, raftTerm: 0 },
};

/** Whether etcd's search of history finds an event. It matches by text prefix and includes hidden keys. */
function isFound({ key, recursive }: WatchRequest, event: EtcdResponse): boolean {
  const { node } = event;
  const isBelow = recursive === true && node.key.startsWith(key);
  return node.key === key || isBelow || matchesWatch({ key }, event);
}
