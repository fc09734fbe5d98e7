import { AbortError } from "../../../errors/abort-error.js";
import { ProtocolError } from "../../../errors/cluster-errors.js";
import type { V3Api, V3Call } from "../../../etcd3/v3-api.js";
import type { V3Header } from "../../../etcd3/v3-json.js";
import type { KeyChange } from "../../../etcd3/watch-response.js";
import type { WatchRequest } from "../../../model/key-request.js";
import { nextTurn } from "../../../time/event-loop.js";
import { EventCache, type EventCacheLimits, type IndexEvents } from "../../shared/event-cache.js";
import type { PushedWatch } from "../../shared/pushed-watch.js";
import type { StoreGeneration } from "../schema/store-generation.js";
import type { CurrentRevision, Freshness } from "./current-revision.js";
import { EtcdWatch, type FeedListener } from "./etcd-watch.js";
import { beat } from "./heartbeat.js";
import { History } from "./history.js";
import { Compacted } from "./revision-stream.js";
import { type Translation, translate } from "./translate.js";
import { deliverHistory, eventsFor, type Opening, WatcherSet } from "./watcher-set.js";
import { Watermark } from "./watermark.js";

/** Settings of an {@link SharedWatch}, complete. */
export interface SharedWatchSettings extends Translation {
  readonly fresh: CurrentRevision;
  readonly generation: StoreGeneration;
  /** First index that has a meaning: those before the offset was written were never shown. */
  readonly firstIndex: number;
  /** Revision at which the offset was written. */
  readonly writtenAt: number;
  /** Called when the offset is written again: indexes from then on are others. It must end the feed. */
  scaleWritten(): void;
  /** What is held for watchers that come late. */
  readonly limits: EventCacheLimits;
  /** Milliseconds of silence after which the watch on etcd is opened anew. */
  readonly pollInterval: number;
  /** Milliseconds for which etcd is still watched when nobody here does. */
  readonly idleTimeout: number;
}

/** Revisions without news of the range after which a heartbeat saves it from compaction. */
const QUIET_REVISIONS = 500;
/** Events after which readers get a turn: fewer than a watch holds for its reader. */
const EVENTS_PER_TURN = 50;
/** Milliseconds for a heartbeat to be delivered. */
const PATIENCE = 2_000;
/** Milliseconds that news get before a heartbeat proves that there are none. */
const NEWS_DELAY = 1_000;

/**
 * The watch on etcd that serves every watch of a key space, and what it has delivered lately. It begins
 * at the present; what was before is read when somebody wants it. Once stopped it does not start again.
 */
export class SharedWatch {
  readonly #api: V3Api;
  readonly #settings: SharedWatchSettings;
  readonly #generation: number;
  readonly #clusterId: string;
  readonly #watchers = new WatcherSet();
  readonly #cache: EventCache;
  readonly #history: History;
  readonly #running = new AbortController();
  /** Resolves when the watch on etcd stands. */
  readonly #standing: Promise<void>;
  /** Called once, when it has stopped. */
  readonly #onStop: () => void;
  /** Revision up to which everything was delivered. */
  readonly #delivered: Watermark;
  /** Last revision that is known to have changed something in the range. */
  #mark = 0;
  /** Watches that are about to be attached. */
  #arriving = 0;
  #catchingUp: Promise<boolean> | undefined;
  /** Why it has stopped. */
  #stopped: Error | undefined;
  #cancelLinger: () => void = () => {};
  #cancelProof: (() => void) | undefined;

  constructor(
    api: V3Api,
    settings: SharedWatchSettings,
    { clusterId, revision }: V3Header,
    onStop: () => void,
  ) {
    const { limits, offset, generation, clock } = settings;
    this.#api = api;
    this.#settings = settings;
    this.#generation = generation.number;
    this.#clusterId = clusterId;
    this.#onStop = onStop;
    this.#delivered = new Watermark(clock);
    this.#delivered.set(revision - 1);
    this.#cache = new EventCache(limits, revision + offset);
    this.#history = new History(api, this.#cache, settings, this.#running.signal);
    this.#standing = new Promise((resolve, reject) => this.#run(resolve, reject));
    this.#standing.catch(() => {});
  }

  /** Watches that wait. */
  get watchers(): number {
    return this.#watchers.size;
  }

  /** Whether nothing comes any more. */
  get isStopped(): boolean {
    return this.#stopped !== undefined;
  }

  /** Events held for those who come late. */
  get held(): number {
    return this.#cache.size;
  }

  /** Index up to which everything was delivered. */
  get index(): number {
    return this.#delivered.reached + this.#settings.offset;
  }

  /** Index from which on everything can be delivered, as far as is known. */
  get floor(): number {
    return Math.min(this.#cache.floor, this.#history.floor);
  }

  /**
   * Makes sure that all from an index on can be delivered, as far as it is held anywhere.
   *
   * @returns whether it can
   * @throws ClusterUnavailableError, UnauthorizedError
   */
  async reach(index: number, { revision }: Freshness): Promise<boolean> {
    this.#arriving++;
    try {
      await this.#standing;
      return await this.#history.reach(index, revision + this.#settings.offset, this.#prove);
    } catch (error) {
      if (!(error instanceof Compacted)) throw error;
      throw new ProtocolError(`${CALL.operation}: etcd has compacted what was asked for`);
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
    this.#catchingUp ??= beat(this.#api, this.#settings.schema).finally(() => {
      this.#catchingUp = undefined;
    });
    if (!(await this.#catchingUp)) return false;
    await this.#delivered.until(index - this.#settings.offset, PATIENCE);
    return this.index >= index;
  }

  /** The events of one index that concern a watch. */
  eventsAt(index: number, request: WatchRequest): number {
    const [first] = this.#cache.from(index);
    return first?.index === index ? eventsFor(request, first) : 0;
  }

  /** Gives a watch what it wants of the past, and from now on what comes, until it has ended. */
  attach(watch: PushedWatch, opening: Opening): void {
    for (const told of this.#cache.from(watch.since)) {
      deliverHistory(watch, opening.request, told);
      if (watch.ended) return;
    }
    this.#cancelLinger();
    this.#watchers.add(watch, opening, this.index);
  }

  /** Forgets a watch. */
  detach(watch: PushedWatch): void {
    if (this.#watchers.remove(watch)) this.rest();
  }

  /**
   * Sees to it that the index reaches a revision, though others change the cluster while nothing happens
   * in the range: a watch on etcd does not tell that. Several who ask share a heartbeat.
   */
  proveQuiet(revision: number): void {
    if (this.#delivered.reached >= revision || this.isStopped) return;
    this.#cancelProof ??= this.#settings.clock.after(NEWS_DELAY, () => {
      this.#cancelProof = undefined;
      if (this.#delivered.reached < revision) void beat(this.#api, this.#settings.schema);
    });
  }

  /** Stops soon, unless somebody watches here. */
  rest(): void {
    this.#cancelLinger();
    if (this.#isNeeded || this.isStopped) return;
    this.#cancelLinger = this.#settings.clock.after(this.#settings.idleTimeout, () => {
      if (!this.#isNeeded) this.end();
    });
  }

  /** Stops, and ends every watch, without an error. */
  end(): void {
    this.#stop(new Compacted());
  }

  close(reason: Error): void {
    for (const watch of this.#watchers) watch.abort(reason);
    this.#stop(new AbortError(CALL.operation, reason, "none"));
  }

  get #isNeeded(): boolean {
    return this.#watchers.size + this.#arriving > 0;
  }

  #run(stood: () => void, failed: (error: Error) => void): void {
    const { schema, clock, pollInterval, writtenAt } = this.#settings;
    const { signal } = this.#running;
    const feed = new EtcdWatch(this.#api, schema.everything, clock, pollInterval);
    const nextOf = (): number => this.#delivered.reached + 1;
    const isOffset = ({ kv }: KeyChange): boolean => kv.key === schema.offset;
    const listener: FeedListener = {
      get next() {
        return nextOf();
      },
      stands: async (header, quiets) => {
        await this.#verify(header.clusterId, header.revision);
        stood();
        const behind = header.revision - this.#delivered.reached;
        // The second of two quiet ones must bring something, or the next one gets more time.
        if (quiets > 0 && behind > (quiets > 1 ? 0 : QUIET_REVISIONS)) void beat(this.#api, schema);
      },
      take: async (news) => {
        const [first] = news.revisions;
        if (first !== undefined) await this.#verify(this.#clusterId, first.number - 1);
        const coming = news.revisions.filter(({ number }) => number > this.#delivered.reached);
        const written = coming.find(
          ({ number, changes }) => number > writtenAt && changes.some(isOffset),
        );
        const revisions = written === undefined ? coming : coming.slice(0, coming.indexOf(written));
        const events = await translate(this.#api, revisions, this.#settings, CALL);
        await this.#take(events, written === undefined ? news.upTo : written.number - 1);
        if (written !== undefined) this.#settings.scaleWritten();
      },
    };
    feed.run(listener, signal).catch((error: Error) => {
      this.#stop(error);
      failed(this.#stopped ?? error);
    });
  }

  /**
   * Sees to it that it is the same store that is watched. A member may be behind; another store is
   * recognized by a linearizable read, and then ends this feed.
   *
   * @throws Compacted, AbortError, and what the read throws
   */
  async #verify(clusterId: string, revision: number): Promise<void> {
    if (clusterId !== this.#clusterId) throw new Compacted();
    const { signal } = this.#running;
    if (revision < this.#delivered.reached) await this.#settings.fresh.get(CALL.operation, signal);
    signal.throwIfAborted();
  }

  async #take(delivered: readonly IndexEvents[], upTo: number): Promise<void> {
    let count = 0;
    for (const { index, events } of delivered) {
      if (this.isStopped) return;
      if (events.length > 0) this.#cache.add({ index, events });
      this.#mark = index - this.#settings.offset;
      this.#delivered.set(this.#mark);
      this.#watchers.deliver({ index, events });
      count += events.length;
      if (count < EVENTS_PER_TURN) continue;
      // Readers must keep up with what comes all at once.
      await nextTurn();
      count = 0;
    }
    this.#delivered.set(Math.max(this.#delivered.reached, upTo));
    this.#settings.generation.delivered(this.#generation, this.#delivered.reached);
  }

  /** Makes sure that a change at the beginning of this feed, or later, marks the end of its past. */
  readonly #prove = async (): Promise<boolean> => {
    const { offset, schema } = this.#settings;
    return this.#mark >= this.#cache.floor - offset || (await beat(this.#api, schema));
  };

  /** Whoever waits has to begin anew: with what is delivered then, or with 401. */
  #stop(error: Error): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = error;
    this.#cancelLinger();
    this.#cancelProof?.();
    this.#onStop();
    for (const watch of this.#watchers) end(watch, error);
    this.#running.abort(error);
  }
}

function end(watch: PushedWatch, error: Error): void {
  if (error instanceof Compacted) watch.end();
  else watch.fail(error);
}

const CALL: V3Call = { operation: "GET /?wait=true", key: "/", safety: "read", scope: "local" };
