import { AbortError } from "../../src/errors/abort-error.js";
import { ClusterUnavailableError, TimeoutError } from "../../src/errors/cluster-errors.js";
import { errorDefinition } from "../../src/errors/error-table.js";
import { serverErrorOf } from "../../src/errors/server-error-of.js";
import type { CallOptions, KeySpace, KeyWatch } from "../../src/key-space/key-space.js";
import type { WatchRequest } from "../../src/model/key-request.js";
import type { Action, EtcdResponse } from "../../src/model/response.js";
import { Inbox } from "../../src/stream/inbox.js";
import { onAbort as listen } from "../../src/stream/on-abort.js";
import { concerns } from "../../src/watch/concerns.js";
import type { SimulatedClock } from "../support/simulated-clock.js";

/** Indexes that a member remembers. */
export const HISTORY = 300;
/** Events that wait for a slow reader before it is dropped. */
const READER_BUFFER = 100;
/** Milliseconds: longest time on the way, when nothing holds it up. */
const ON_THE_WAY = 20;
/** Milliseconds after which an isolated member's reader gives up. */
const TIME_OUT = 1_000;

/** One index: what happened at it. */
interface Entry {
  readonly index: number;
  readonly events: readonly EtcdResponse[];
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
export class SimulatedCluster implements KeySpace {
  readonly #clock: SimulatedClock;
  readonly #random: () => number;
  #generation = 1;
  #log: Entry[] = [];
  #members: readonly Member[] = this.#newMembers();
  refuses = false;
  /** Whether a client has given up a connection on which events were held up. */
  hasLostLate = false;
  /** Watches that no member could serve for lack of history. */
  cleared = 0;

  constructor(clock: SimulatedClock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  get clusterId(): string {
    return `c${this.#generation}`;
  }

  get index(): number {
    return this.#log.length;
  }

  /** Everything that ever happened to a key in the present cluster. */
  eventsOf(request: WatchRequest): readonly EtcdResponse[] {
    return this.#log.flatMap(({ events }) => events.filter((event) => concerns(request, event)));
  }

  get watches(): readonly SimulatedWatch[] {
    return this.#members.flatMap(({ watches }) => [...watches]);
  }

  /** Makes one change; with several keys, of all of them at one index, as only etcd v3 can. */
  commit(action: Action, ...keys: readonly string[]): void {
    const index = this.#log.length + 1;
    const events = keys.map((key) => ({
      action,
      node: { key, value: `${index}`, modifiedIndex: index, createdIndex: index },
      etcdServer: "",
      etcdClusterId: this.clusterId,
      etcdIndex: index,
      raftIndex: index,
      raftTerm: 1,
    }));
    this.#log.push({ index, events });
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
    const usable = this.#members.filter(({ isolated }) => !isolated || this.#random() < 0.3);
    const member = usable[Math.floor(this.#random() * usable.length)];
    if (this.refuses || member === undefined) throw new ClusterUnavailableError("GET", []);
    const watch = new SimulatedWatch(this, this.#clock, this.#random, member, request, signal);
    this.#register(watch, member, request);
    await this.#travel(signal);
    return watch;
  }

  /** What a quorum read at a member tells. */
  async read(member: Member, signal: AbortSignal | undefined): Promise<number> {
    await this.#travel(signal);
    if (member.isolated) {
      await this.#wait(TIME_OUT, signal);
      throw new TimeoutError("isolated", TIME_OUT);
    }
    if (!this.#members.includes(member)) throw new ClusterUnavailableError("GET", []);
    this.#catchUp(member);
    const { applied } = member;
    await this.#travel(signal);
    return applied;
  }

  async close(): Promise<void> {}

  #register(watch: SimulatedWatch, member: Member, { waitIndex, stream }: WatchRequest): void {
    if (stream === true && waitIndex !== undefined) throw new Error("a stream from the past");
    const oldest = member.applied - HISTORY + 1;
    if (waitIndex !== undefined && waitIndex < oldest) {
      this.cleared++;
      throw serverErrorOf({
        ...{ ...errorDefinition(401), errorCode: 401, detail: "", key: "", endpoint: "" },
        ...{ index: member.applied, operation: "GET", clusterId: this.clusterId },
      });
    }
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
  readonly #cluster: SimulatedCluster;
  readonly #clock: SimulatedClock;
  readonly #random: () => number;
  readonly #member: Member;
  readonly #request: WatchRequest;
  readonly #arrived = new Inbox<EtcdResponse>();
  readonly #signal: AbortSignal | undefined;
  #underway: EtcdResponse[] = [];
  #arrivalAt = 0;
  #stalledUntil = 0;
  #endsWhenEmpty = false;

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
    this.#cluster = cluster;
    this.#clock = clock;
    this.#random = random;
    this.#member = member;
    this.#request = request;
    this.#signal = signal;
    if (signal !== undefined) listen(signal, this.#onAbort);
  }

  get isStream(): boolean {
    return this.#request.stream === true;
  }

  probe({ signal }: CallOptions = {}): Promise<number> {
    return this.#cluster.read(this.#member, signal);
  }

  /** A loose search: hidden keys count, and so do keys that only begin alike. */
  takeFromHistory(events: readonly EtcdResponse[]): boolean {
    const { key, recursive } = this.#request;
    const found = events.filter(
      ({ node }) => node.key === key || (recursive === true && node.key.startsWith(key)),
    );
    return this.#send(found);
  }

  take(events: readonly EtcdResponse[]): void {
    const { waitIndex = 0 } = this.#request;
    const told = events.filter(
      (event) => event.node.modifiedIndex >= waitIndex && concerns(this.#request, event),
    );
    const twice = this.isStream && told.some(({ action }) => action === "delete");
    this.#send(twice ? [...told, ...told] : told);
  }

  /** Holds up what is sent from now on. */
  stall(milliseconds: number): void {
    if (this.#underway.length > 0) return;
    this.#stalledUntil = this.#clock.monotonic() + milliseconds;
  }

  /** Breaks the connection. What was held up arrives before, what was just sent does not. */
  cut(): void {
    if (this.#stalledUntil > this.#clock.monotonic()) this.#arriveAll();
    this.#leave();
    this.#arrived.end(new ClusterUnavailableError("GET", []));
  }

  /** Ends the answer as it is. */
  end(): void {
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
    const isHeldUp = this.#stalledUntil > this.#clock.monotonic();
    if (isHeldUp && this.#underway.length > 0) this.#cluster.hasLostLate = true;
    this.#leave();
    this.#arrived.discard(failure);
  }

  #leave(): void {
    this.#member.watches.delete(this);
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#underway = [];
  }

  #send(events: readonly EtcdResponse[]): boolean {
    if (events.length === 0) return false;
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
    for (const _ of events) this.#clock.after(wait, () => this.#arrive());
    return true;
  }

  #arrive(): void {
    const wait = this.#stalledUntil - this.#clock.monotonic();
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
