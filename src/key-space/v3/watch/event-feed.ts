import type { WatchRequest } from "../../../model/key-request.js";
import type { Clock } from "../../../time/clock.js";
import { concerns } from "../../../watch/concerns.js";
import type { PushedWatch } from "../../watch/pushed-watch.js";
import { WatcherHub } from "../../watch/watcher-hub.js";
import type { KeyLayout } from "../key-layout.js";
import type { V3Api, V3Call } from "../v3-api.js";
import type { V3Header } from "../v3-json.js";
import { EventRing, type EventRingLimits, type IndexEvents } from "./event-ring.js";
import { eventsOf } from "./events-of-revision.js";
import type { Freshness } from "./fresh-revision.js";
import { beat } from "./heartbeat.js";
import { isHeld } from "./is-held.js";
import { leaseFatesOf } from "./lease-fates.js";
import { reachBack } from "./reach-back.js";
import { type FeedListener, RevisionFeed } from "./revision-feed.js";
import { Compacted, type Revision } from "./revision-stream.js";

/** Settings of an {@link EventFeed}, complete. */
export interface EventFeedSettings {
  readonly layout: KeyLayout;
  readonly clock: Clock;
  /** Added to revisions. */
  readonly offset: number;
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
  readonly #hub = new WatcherHub();
  readonly #watches = new Set<PushedWatch>();
  #ring: EventRing;
  /** Everything up to this revision was told. */
  #reached = 0;
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
  /** Called when more was told. */
  readonly #onTold = new Set<() => void>();
  #cancelLinger: () => void = () => {};

  constructor(api: V3Api, settings: EventFeedSettings) {
    const { layout, clock, pollInterval, limits } = settings;
    this.#api = api;
    this.#settings = settings;
    this.#feed = new RevisionFeed(api, layout.everything, clock, pollInterval);
    this.#ring = new EventRing(limits, 0);
  }

  /** Watches that wait. */
  get watchers(): number {
    return this.#watches.size;
  }

  /** Events held for those who come late. */
  get held(): number {
    return this.#ring.size;
  }

  /** Index up to which everything was told. */
  get index(): number {
    return this.#reached + this.#settings.offset;
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

  /** The events of one index that concern a watch. */
  eventsAt(index: number, request: WatchRequest): number {
    const [first] = this.#ring.from(index);
    if (first?.index !== index) return 0;
    return first.events.filter((event) => concerns(request, event)).length;
  }

  /** Tells a watch what it wants of the past, and from now on what comes, until it has ended. */
  attach(watch: PushedWatch, request: WatchRequest): void {
    for (const { index, events } of this.#ring.from(watch.since)) {
      for (const event of events) {
        if (!watch.ended && concerns(request, event)) watch.recall(event);
      }
      watch.reached(index);
      if (watch.ended) return;
    }
    this.#cancelLinger();
    this.#watches.add(watch);
    this.#hub.add(watch);
  }

  /** Forgets a watch. */
  detach(watch: PushedWatch): void {
    this.#hub.remove(watch);
    if (this.#watches.delete(watch)) this.rest();
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
    for (const watch of this.#watches) watch.abort(reason);
    this.#cancelLinger();
    this.#halt();
  }

  get #isNeeded(): boolean {
    return this.#watches.size + this.#arriving > 0;
  }

  #halt(): void {
    const running = this.#running;
    this.#running = undefined;
    running?.abort();
  }

  /** Sees to it that the watch on etcd stands. */
  async #stand(index: number, { revision }: Freshness): Promise<void> {
    if (this.#running === undefined) {
      this.#starting ??= this.#start(index, revision).finally(() => {
        this.#starting = undefined;
      });
      await this.#starting;
    }
    await this.#standing;
  }

  async #start(index: number, revision: number): Promise<void> {
    const { limits, catchesUp } = this.#settings;
    // What was told before is of use if the way from there is not too long.
    if (this.#reached === 0 || revision - this.#reached >= limits.events) {
      const earliest = this.#earliest(index, revision);
      const isPast = earliest <= revision;
      this.#reset(
        isPast && (await isHeld(this.#api, this.#settings.layout.offset, earliest, CALL))
          ? earliest
          : revision + 1,
      );
    }
    this.#run();
    if (!catchesUp || this.#reached >= revision) return;
    await this.#standing;
    if (await beat(this.#api, this.#settings.layout)) await this.#until(revision);
  }

  /** Revision from which to read for a watch from an index on, the limits allowing. */
  #earliest(index: number, revision: number): number {
    const { limits, offset, foresight } = this.#settings;
    const wanted = Math.min(index - offset, revision + 1 - foresight);
    return Math.min(Math.max(1, wanted, revision + 1 - limits.events), revision + 1);
  }

  /** Waits until everything up to a revision was told, but not for ever. */
  #until(revision: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        this.#onTold.delete(look);
        resolve();
      };
      const look = (): void => {
        if (this.#reached >= revision) done();
      };
      const cancel = this.#settings.clock.after(PATIENCE, done);
      this.#onTold.add(look);
      look();
    });
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
    const nextOf = (): number => this.#reached + 1;
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
    if (this.#clusterId !== clusterId && this.#clusterId !== "") throw new Compacted();
    this.#clusterId = clusterId;
    const { layout } = this.#settings;
    if (wasQuiet && revision - this.#reached > QUIET_REVISIONS) void beat(this.#api, layout);
  }

  #take(told: readonly IndexEvents[], upTo: number): void {
    for (const { index, events } of told) {
      if (events.length > 0) this.#ring.add({ index, events });
      this.#reached = index - this.#settings.offset;
      this.#mark = this.#reached;
      this.#hub.notify(events);
    }
    this.#reached = Math.max(this.#reached, upTo);
    for (const look of this.#onTold) look();
  }

  /** Whoever waits has to begin anew: with what is told then, or with 401. */
  #stopped(error: Error): void {
    this.#running = undefined;
    const isOver = error instanceof Compacted;
    if (isOver) {
      this.#reached = 0;
      this.#clusterId = "";
    }
    for (const watch of this.#watches) {
      if (isOver) watch.end();
      else watch.fail(error);
    }
  }

  #reset(from: number): void {
    this.#ring = new EventRing(this.#settings.limits, from + this.#settings.offset);
    this.#reached = from - 1;
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

  async #read(revisions: readonly Revision[]): Promise<readonly IndexEvents[]> {
    const { layout, clock, offset } = this.#settings;
    const fates = await leaseFatesOf(this.#api, revisions, layout.action, clock, CALL);
    const view = { offset, now: clock.now(), ...fates };
    return revisions.map((revision) => ({
      index: revision.number + offset,
      events: eventsOf(revision, layout, view),
    }));
  }
}

const CALL: V3Call = { operation: "GET /?wait=true", key: "/", safety: "read", scope: "local" };
