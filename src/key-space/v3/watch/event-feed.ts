import { ProtocolError } from "../../../errors/cluster-errors.js";
import type { WatchRequest } from "../../../model/key-request.js";
import { concerns } from "../../../watch/concerns.js";
import { EventRing, type EventRingLimits, type IndexEvents } from "../../watch/event-ring.js";
import type { PushedWatch } from "../../watch/pushed-watch.js";
import type { V3Api, V3Call } from "../v3-api.js";
import type { V3Header } from "../v3-json.js";
import { Audience, tellHistory } from "./audience.js";
import type { Freshness } from "./fresh-revision.js";
import { beat } from "./heartbeat.js";
import { isHeld } from "./is-held.js";
import { Milestone } from "./milestone.js";
import { reachBack } from "./reach-back.js";
import { type FeedListener, RevisionFeed } from "./revision-feed.js";
import { Compacted, type Revision } from "./revision-stream.js";
import { type Translation, translate } from "./translate.js";

/** Settings of an {@link EventFeed}, complete. */
export interface EventFeedSettings extends Translation {
  /** What is held for watchers that come late. */
  readonly limits: EventRingLimits;
  /** Milliseconds of silence after which the watch on etcd is opened anew. */
  readonly pollInterval: number;
  /** Revisions before the first watcher's that are read to begin with. */
  readonly foresight: number;
  /** Milliseconds for which etcd is still watched when nobody here does. */
  readonly linger: number;
  /** Whether the first watch waits until everything of the past is there. */
  readonly catchesUp: boolean;
}

/** Milliseconds to wait for what has happened before to be told. */
const PATIENCE = 2_000;
/** Revisions without news of the range after which a heartbeat saves it from compaction. */
const QUIET_REVISIONS = 500;

/** The watch on etcd that serves every watch of a key space, and what it told lately. */
export class EventFeed {
  readonly #api: V3Api;
  readonly #settings: EventFeedSettings;
  readonly #feed: RevisionFeed;
  readonly #audience = new Audience();
  #ring: EventRing;
  /** Revision up to which everything was told. */
  readonly #told: Milestone;
  /** Last revision that is known to have changed something in the range. */
  #mark = 0;
  #clusterId = "";
  /** Index that is held nowhere any more. */
  #lost = 0;
  #running: AbortController | undefined;
  /** Watches that are about to be attached. */
  #arriving = 0;
  /** Resolves when the watch on etcd stands. */
  #standing: Promise<void> = Promise.resolve();
  #starting: Promise<void> | undefined;
  #reachingBack: Promise<void> | undefined;
  #catchingUp: Promise<boolean> | undefined;
  #cancelLinger: () => void = () => {};

  constructor(api: V3Api, settings: EventFeedSettings) {
    const { layout, clock, pollInterval, limits } = settings;
    this.#api = api;
    this.#settings = settings;
    this.#feed = new RevisionFeed(api, layout.everything, clock, pollInterval);
    this.#ring = new EventRing(limits, 0);
    this.#told = new Milestone(clock);
  }

  /** Watches that wait. */
  get watchers(): number {
    return this.#audience.size;
  }

  /** Events held for those who come late. */
  get held(): number {
    return this.#ring.size;
  }

  /** Index up to which everything was told. */
  get index(): number {
    return this.#told.reached + this.#settings.offset;
  }

  /** Index from which on everything can be told. */
  get floor(): number {
    return this.#ring.floor;
  }

  /**
   * Makes sure that all from an index on can be told, as far as it is held anywhere.
   *
   * @returns whether it can
   * @throws ClusterUnavailableError, UnauthorizedError
   */
  async reach(index: number, fresh: Freshness): Promise<boolean> {
    this.#arriving++;
    try {
      await this.#stand(index, fresh);
      while (index < this.#ring.floor && index > this.#lost) {
        this.#reachingBack ??= this.#reachBack(index).finally(() => {
          this.#reachingBack = undefined;
        });
        await this.#reachingBack;
      }
      return index >= this.#ring.floor;
    } finally {
      this.#arriving--;
    }
  }

  /**
   * Writes a record, so that everything up to an index is seen.
   *
   * @returns whether it was written, and was seen in time
   */
  async catchUp(index: number): Promise<boolean> {
    if (this.index >= index) return true;
    this.#catchingUp ??= beat(this.#api, this.#settings.layout).finally(() => {
      this.#catchingUp = undefined;
    });
    if (!(await this.#catchingUp)) return false;
    await this.#told.until(index - this.#settings.offset, PATIENCE);
    return this.index >= index;
  }

  /** The events of one index that concern a watch. */
  eventsAt(index: number, request: WatchRequest): number {
    const [first] = this.#ring.from(index);
    if (first?.index !== index) return 0;
    return first.events.filter((event) => concerns(request, event)).length;
  }

  /**
   * Tells a watch what it wants of the past, and from now on what comes, until it has ended.
   * `openedAt` is the index of the store when it was opened.
   */
  attach(watch: PushedWatch, request: WatchRequest, openedAt: number): void {
    for (const told of this.#ring.from(watch.since)) {
      tellHistory(watch, request, told);
      if (watch.ended) return;
    }
    this.#cancelLinger();
    this.#audience.add(watch, request, this.index, openedAt);
  }

  /** Forgets a watch. */
  detach(watch: PushedWatch): void {
    if (this.#audience.remove(watch)) this.rest();
  }

  /** Stops watching etcd soon, unless somebody watches here. */
  rest(): void {
    this.#cancelLinger();
    if (this.#isNeeded || this.#running === undefined) return;
    this.#cancelLinger = this.#settings.clock.after(this.#settings.linger, () => {
      if (!this.#isNeeded) this.#halt();
    });
  }

  close(reason: Error): void {
    for (const watch of this.#audience) watch.abort(reason);
    this.#cancelLinger();
    this.#halt();
  }

  get #isNeeded(): boolean {
    return this.#audience.size + this.#arriving > 0;
  }

  #halt(): void {
    const running = this.#running;
    this.#running = undefined;
    running?.abort();
  }

  /** Sees to it that the watch on etcd stands. */
  async #stand(index: number, fresh: Freshness): Promise<void> {
    try {
      if (this.#running === undefined) {
        this.#starting ??= this.#start(index, fresh).finally(() => {
          this.#starting = undefined;
        });
        await this.#starting;
      }
      await this.#standing;
    } catch (error) {
      if (!(error instanceof Compacted)) throw error;
      throw new ProtocolError(`${CALL.operation}: etcd forgot meanwhile what was asked for`);
    }
  }

  async #start(index: number, { clusterId, revision }: Freshness): Promise<void> {
    const { catchesUp, layout } = this.#settings;
    if (clusterId !== this.#clusterId) this.#told.set(0);
    this.#clusterId = clusterId;
    const goesOn = this.#isNear(revision);
    const from = goesOn ? this.#told.reached + 1 : this.#earliest(index, revision);
    const isThere = from > revision || (await isHeld(this.#api, layout.offset, from, CALL));
    if (!goesOn || !isThere) this.#reset(isThere ? from : revision + 1);
    this.#run();
    if (!catchesUp || this.#told.reached >= revision) return;
    await this.#standing;
    if (await beat(this.#api, layout)) await this.#told.until(revision, PATIENCE);
  }

  /** Whether what was told before is of use: the way from there must not be too long. */
  #isNear(revision: number): boolean {
    const { reached } = this.#told;
    return reached > 0 && revision - reached < this.#settings.limits.events;
  }

  /** Revision from which to read for a watch from an index on, the limits allowing. */
  #earliest(index: number, revision: number): number {
    const { limits, offset, foresight } = this.#settings;
    const wanted = Math.min(index - offset, revision + 1 - foresight);
    return Math.min(Math.max(1, wanted, revision + 1 - limits.events), revision + 1);
  }

  #run(): void {
    const running = new AbortController();
    this.#running = running;
    this.#standing = new Promise((resolve, reject) => {
      void this.#feed
        .run(this.#listener(running, resolve), running.signal)
        .catch((error: Error) => {
          reject(error);
          if (this.#running === running) this.#stopped(error);
        });
    });
    this.#standing.catch(() => {});
  }

  #listener(running: AbortController, stood: () => void): FeedListener {
    const nextOf = (): number => this.#told.reached + 1;
    return {
      get next() {
        return nextOf();
      },
      stands: (header, wasQuiet) => {
        if (!running.signal.aborted) this.#stands(header, wasQuiet);
        stood();
      },
      take: async (revisions, upTo) => {
        const told = await this.#read(revisions);
        if (!running.signal.aborted) this.#take(told, upTo);
      },
    };
  }

  #stands({ clusterId, revision }: V3Header, wasQuiet: boolean): void {
    // Revisions of another cluster mean something else.
    if (this.#clusterId !== clusterId) throw new Compacted();
    const { layout } = this.#settings;
    if (wasQuiet && revision - this.#told.reached > QUIET_REVISIONS) void beat(this.#api, layout);
  }

  #take(told: readonly IndexEvents[], upTo: number): void {
    for (const { index, events } of told) {
      if (events.length > 0) this.#ring.add({ index, events });
      this.#mark = index - this.#settings.offset;
      this.#told.set(this.#mark);
      this.#audience.tell({ index, events });
    }
    this.#told.set(Math.max(this.#told.reached, upTo));
  }

  /** Whoever waits has to begin anew: with what is told then, or with 401. */
  #stopped(error: Error): void {
    this.#running = undefined;
    const isOver = error instanceof Compacted;
    if (isOver) this.#told.set(0);
    for (const watch of this.#audience) {
      if (isOver) watch.end();
      else watch.fail(error);
    }
  }

  #reset(from: number): void {
    this.#ring = new EventRing(this.#settings.limits, from + this.#settings.offset);
    this.#told.set(from - 1);
    this.#mark = 0;
    this.#lost = 0;
  }

  /** Fills the ring from an index up to its floor, if there is room. */
  async #reachBack(index: number): Promise<void> {
    const { offset, clock, layout, limits } = this.#settings;
    const ring = this.#ring;
    const to = ring.floor - offset;
    const isMarked = this.#mark >= to || (await beat(this.#api, layout));
    const past = { from: Math.max(1, index - offset), to, limit: limits.events, isMarked };
    const isThere = await isHeld(this.#api, this.#settings.layout.offset, past.from, CALL);
    const revisions = isThere && (await reachBack(this.#api, layout.everything, past, clock, CALL));
    if (!revisions || !ring.prepend(index, await this.#read(revisions))) {
      this.#lost = Math.max(this.#lost, index);
    }
  }

  #read(revisions: readonly Revision[]): Promise<readonly IndexEvents[]> {
    return translate(this.#api, revisions, this.#settings, CALL);
  }
}

const CALL: V3Call = { operation: "GET /?wait=true", key: "/", safety: "read", scope: "local" };
