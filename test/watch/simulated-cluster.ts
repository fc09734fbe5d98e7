import { AbortError } from "../../src/errors/abort-error.js";
import { ClusterUnavailableError, TimeoutError } from "../../src/errors/cluster-errors.js";
import { errorDefinition, serverErrorOf } from "../../src/errors/error-table.js";
import type { CallOptions } from "../../src/key-space/call-options.js";
import type { KeySpace, KeyWatch } from "../../src/key-space/key-space.js";
import type { Probe, Scan, WatchPort } from "../../src/key-space/remote/watch/watch-port.js";
import { matchesWatch } from "../../src/key-space/shared/matches-watch.js";
import type { SubscribeRequest, Subscription } from "../../src/key-space/subscription.js";
import type { ScanRequest, WatchRequest } from "../../src/model/key-request.js";
import type { Action, EtcdResponse, ResponseOrigin } from "../../src/model/response.js";
import { AsyncQueue } from "../../src/stream/async-queue.js";
import { onAbort as listen } from "../../src/stream/on-abort.js";
import type { SimulatedClock } from "../support/simulated-clock.js";
import { WatchSessionSubscriptions } from "../support/watch-session-subscription.js";

/** Indexes that a member remembers. */
export const HISTORY = 300;
/** Events that wait for a slow reader before it is dropped. */
const READER_BUFFER = 100;
/** Milliseconds: longest time on the way, when nothing holds it up. */
const ON_THE_WAY = 20;
/** Milliseconds after which an isolated member's reader gives up. */
const TIME_OUT = 1_000;
/** Milliseconds that a scan waits for an event which history does not hold. */
const SETTLE = 20;
/** Milliseconds after which a scan that does not end is given up. */
const SCAN_TIME_OUT = 5_000;
/** Share of the scans that a proxy harms which end without an event that history holds. */
const HARMED = 0.5;

/** Which server responds: etcd has one event per index; polls and scans of a gateway return one of several. */
export type Server = "etcd" | "gateway";

/** What is between the client and the members. It harms connections that were opened for a watch. */
export interface Intermediary {
  /** What becomes of new streams, after their head. */
  streams: "pass" | "dead" | "buffered";
  /** How scans end that find nothing. */
  scans: "clean" | "unclean" | "hang";
}

/** A change, as far as it is compared. */
export interface Committed {
  readonly key: string;
  readonly index: number;
  readonly committedAt: number;
}

/** One index: what happened at it. */
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
 * A cluster of three members with etcd's habits: heads of answers before their events, a history
 * that is searched loosely, streams whose slow readers are dropped in silence. Connections keep
 * order, one beside the other they do not.
 */
export class SimulatedCluster implements KeySpace, WatchPort {
  readonly #subscriptions: WatchSessionSubscriptions;
  readonly #clock: SimulatedClock;
  readonly #random: () => number;
  readonly #server: Server;
  readonly proxy: Intermediary = { streams: "pass", scans: "clean" };
  #generation = 1;
  #log: Entry[] = [];
  #members: readonly Member[] = this.#newMembers();
  refuses = false;
  /** Watches that no member could serve for lack of history. */
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

  /** Everything that ever happened to a key in the present cluster, and when. */
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

  /** Makes one change; with several keys, of all of them at one index, as only etcd v3 can. */
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

  /** Another cluster, empty, takes the place of this one. */
  rebuild(): void {
    for (const watch of this.watches) watch.cut();
    this.#generation++;
    this.#log = [];
    this.#members = this.#newMembers();
  }

  async execute(request: { readonly key: string }, options?: CallOptions): Promise<EtcdResponse> {
    await this.#travel(options?.signal);
    if (this.refuses) throw new ClusterUnavailableError("GET", []);
    const index = this.#log.length;
    const { clusterId } = this;
    await this.#travel(options?.signal);
    const node = { key: request.key, dir: true as const, modifiedIndex: 1, createdIndex: 1 };
    const origin = { etcdServer: "", etcdClusterId: clusterId, raftIndex: 0, raftTerm: 0 };
    return { action: "get", node, etcdIndex: index, ...origin };
  }

  async openWatch(request: WatchRequest, options: CallOptions = {}): Promise<KeyWatch> {
    const { signal } = options;
    await this.#travel(signal);
    const member = this.#anyMember();
    const watch = new SimulatedWatch(this, this.#clock, this.#random, member, request, signal);
    if (request.stream === true && this.proxy.streams !== "pass") {
      watch.harm(this.proxy.streams);
    }
    this.#register(watch, member, request);
    await this.#travel(signal);
    return watch;
  }

  #anyMember(): Member {
    const usable = this.#members.filter(({ isolated }) => !isolated || this.#random() < 0.3);
    const member = usable[Math.floor(this.#random() * usable.length)];
    if (this.refuses || member === undefined) throw new ClusterUnavailableError("GET", []);
    return member;
  }

  /** A gateway also refuses a poll that would leave out some events of the index before. */
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
    await this.#travel(signal);
    const member = this.#anyMember();
    const { key, recursive, since, partial = false } = request;
    const asksFrom = partial ? since + 1 : since;
    this.#refuseCleared(member, asksFrom, { key, recursive });
    const origin = { ...NOWHERE, etcdServer: member.url, etcdClusterId: this.clusterId };
    const head = { ...origin, etcdIndex: member.applied };
    const { scans } = this.proxy;
    if (scans !== "clean" && this.#random() < HARMED) {
      await this.#wait(scans === "hang" ? SCAN_TIME_OUT : SETTLE, signal);
      return { ...head, events: [], provenIndex: undefined };
    }
    const found = this.#find(request, asksFrom, member.applied);
    await this.#wait(found.length === 0 ? SETTLE : 0, signal);
    await this.#travel(signal);
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

  /** A read with quorum at one member. */
  async probe(endpoint: string, request: WatchRequest, { signal }: CallOptions): Promise<Probe> {
    const member = this.#members.find(({ url }) => url === endpoint);
    await this.#travel(signal);
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
    await this.#travel(signal);
    return { etcdClusterId, index, fileIndex };
  }

  /** `modifiedIndex` of a file, if there is one. */
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

  #travel(signal: AbortSignal | undefined): Promise<void> {
    return this.#wait(Math.floor(this.#random() * ON_THE_WAY) / 2, signal);
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

/** One connection: events arrive in order, each a while after it happened. */
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
  #underway: EtcdResponse[] = [];
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

  /** What is sent from now on is lost, or held back, and nobody is told. */
  harm(how: "dead" | "buffered"): void {
    if (how === "dead") this.#isDead = true;
    if (how === "buffered") this.stall(Number.POSITIVE_INFINITY);
  }

  takeFromHistory(events: readonly EtcdResponse[]): boolean {
    return this.#send(events.filter((event) => isFound(this.#request, event)));
  }

  take(events: readonly EtcdResponse[]): void {
    const { waitIndex = 0 } = this.#request;
    const told = events.filter(
      (event) => event.node.modifiedIndex >= waitIndex && matchesWatch(this.#request, event),
    );
    const twice = this.isStream && told.some(({ action }) => action === "delete");
    this.#send(twice ? [...told, ...told] : told);
  }

  /** Holds up what is sent from now on. */
  stall(milliseconds: number): void {
    if (this.#underway.length > 0) return;
    this.#stalledUntil = this.#clock.monotonic() + milliseconds;
  }

  /** Lets what was held back through. */
  release(): void {
    if (this.#stalledUntil !== Number.POSITIVE_INFINITY) return;
    this.#stalledUntil = 0;
    this.#arrivalAt = 0;
    this.#arriveAll();
    if (this.#endsWhenEmpty) this.#arrived.end();
  }

  /** Breaks the connection. What was held up arrives before, what was just sent does not. */
  cut(): void {
    if (this.#isDead) return;
    if (this.#stalledUntil > this.#clock.monotonic()) this.#arriveAll();
    this.#leave();
    this.#arrived.end(new ClusterUnavailableError("GET", []));
  }

  /** Ends the answer as it is. */
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
    this.#underway = [];
  }

  #send(found: readonly EtcdResponse[]): boolean {
    const events = this.isStream ? found : found.slice(0, 1);
    if (events.length === 0) return false;
    if (this.#isDead) {
      if (!this.isStream) this.#member.watches.delete(this);
      return true;
    }
    if (this.#underway.length + events.length > READER_BUFFER) {
      this.#member.watches.delete(this);
      return true;
    }
    this.#underway.push(...events);
    if (!this.isStream) {
      this.#endsWhenEmpty = true;
      this.#member.watches.delete(this);
    }
    const arrivalAt = this.#clock.monotonic() + Math.floor(this.#random() * ON_THE_WAY);
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
    const event = this.#underway.shift();
    if (event !== undefined) this.#arrived.put(event);
    if (this.#underway.length === 0 && this.#endsWhenEmpty) this.#arrived.end();
  }

  #arriveAll(): void {
    for (const event of this.#underway) this.#arrived.put(event);
    this.#underway = [];
  }
}

const NOWHERE: Omit<ResponseOrigin, "etcdIndex"> = {
  ...{ etcdServer: "", etcdClusterId: "", raftIndex: 0, raftTerm: 0 },
};

/** History is searched loosely: hidden keys count, and so do keys that only begin alike. */
function isFound({ key, recursive }: WatchRequest, event: EtcdResponse): boolean {
  const { node } = event;
  const isBelow = recursive === true && node.key.startsWith(key);
  return node.key === key || isBelow || matchesWatch({ key }, event);
}
