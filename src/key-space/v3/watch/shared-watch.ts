import { traceServerState } from "../../../diagnostics/server-channels.js";
import { AbortError } from "../../../errors/abort-error.js";
import { ProtocolError } from "../../../errors/cluster-errors.js";
import type { ResponseHeader } from "../../../etcd3/rpcs.js";
import type { V3Api, V3Call } from "../../../etcd3/v3-api.js";
import type { WatchRequest } from "../../../model/key-request.js";
import { nextTurn } from "../../../time/event-loop.js";
import { EventCache, type EventCacheLimits, type IndexEvents } from "../../shared/event-cache.js";
import { matchesLiveWatch } from "../../shared/matches-watch.js";
import type { PushedWatch } from "../../shared/pushed-watch.js";
import type { StoreGeneration } from "../schema/store-generation.js";
import type { CurrentRevision, StoreHead } from "./current-revision.js";
import { DeliveryProgress } from "./delivery-progress.js";
import { EtcdWatch, type EtcdWatchListener } from "./etcd-watch.js";
import { History } from "./history.js";
import { Compacted, type KeyChange } from "./revision-stream.js";
import { type Translation, translate } from "./translate.js";
import {
  deliverHistory,
  type EventReader,
  eventsFor,
  type FeedReader,
  type Opening,
  WatcherSet,
} from "./watcher-set.js";

/** Settings of a {@link SharedWatch}, with defaults filled in. */
export interface SharedWatchSettings extends Translation {
  readonly currentRevision: CurrentRevision;
  readonly generation: StoreGeneration;
  /** First valid index: those before the offset was written were never shown. */
  readonly firstIndex: number;
  /** Revision at which the offset was written. */
  readonly writtenAt: number;
  /**
   * Called when the offset is written again, which changes all later indexes. It must end the
   * shared watch.
   */
  offsetWritten(): void;
  /** Limits of the events that are kept for watches that start in the past. */
  readonly limits: EventCacheLimits;
  /** Milliseconds of silence after which the watch on etcd is opened again. */
  readonly pollInterval: number;
  /** Milliseconds for which etcd is still watched without a watcher here. */
  readonly idleTimeout: number;
}

/**
 * Number of revisions without changes in the range after which a heartbeat protects the watch from
 * compaction.
 */
const QUIET_REVISIONS = 500;
/** Number of events after which readers get a turn: fewer than a watch queues for its reader. */
const EVENTS_PER_TURN = 50;
/**
 * The watch on etcd that serves every watch of a key space, with a cache of recent events. It
 * starts at the current revision; earlier events are read on demand. It is not restarted after it
 * has stopped.
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
  /** Resolves when the watch on etcd is established. */
  readonly #established: Promise<void>;
  /** Called once, when it stops. */
  readonly #onStop: () => void;
  readonly #progress: DeliveryProgress;
  /** Last known revision with a change in the range. */
  #lastChange = 0;
  /** Number of callers that are about to attach a watch. */
  #holders = 0;
  /** Number of attached feeds. */
  #feeds = 0;
  #lastError: Error | undefined;
  /** The reason why it stopped. */
  #stopped: Error | undefined;
  #cancelIdleTimeout: () => void = () => {};

  constructor(
    api: V3Api,
    settings: SharedWatchSettings,
    { cluster_id: clusterId, revision }: ResponseHeader,
    onStop: () => void,
  ) {
    const { limits, offset, generation } = settings;
    this.#api = api;
    this.#settings = settings;
    this.#generation = generation.number;
    this.#clusterId = clusterId;
    this.#onStop = onStop;
    this.#cache = new EventCache(limits, revision + offset);
    this.#history = new History(api, this.#cache, settings, this.#running.signal);
    const readRevision = async (signal: AbortSignal): Promise<number> =>
      (await settings.currentRevision.get(CALL.operation, signal)).header.revision;
    this.#progress = new DeliveryProgress(api, { ...settings, readRevision }, revision - 1);
    this.#established = new Promise((resolve, reject) => this.#run(resolve, reject));
    this.#established.catch(() => {});
  }

  /** Number of attached watches. */
  get watchers(): number {
    return this.#watchers.size;
  }

  /** Whether no more events are delivered. */
  get isStopped(): boolean {
    return this.#stopped !== undefined;
  }

  /** Whether its watches must be opened again. */
  get mustReopen(): boolean {
    return this.#stopped instanceof Compacted;
  }

  /** Number of events in the cache. */
  get held(): number {
    return this.#cache.size;
  }

  /** Index up to which everything was delivered. */
  get index(): number {
    return this.#progress.revision + this.#settings.offset;
  }

  /** Monotonic time: everything committed before was delivered to every feed. */
  get currentAt(): number | undefined {
    return this.#progress.currentAt;
  }

  /** The last failure since etcd delivered something. */
  get lastError(): Error | undefined {
    return this.#lastError;
  }

  /** Whether everything from an index on can be delivered now. */
  holds(index: number): boolean {
    return index >= this.#cache.floor;
  }

  /** First index from which everything can be delivered, as far as is known. */
  get floor(): number {
    return Math.min(this.#cache.floor, this.#history.floor);
  }

  /**
   * Makes all events from an index on available, if etcd still has them.
   *
   * @returns whether they are available
   * @throws ClusterUnavailableError, UnauthorizedError
   */
  async readBack(index: number, { header: { revision } }: StoreHead): Promise<boolean> {
    try {
      await this.#established;
      return await this.#history.readBack(index, revision + this.#settings.offset, this.#prove);
    } catch (error) {
      if (!(error instanceof Compacted)) throw error;
      throw new ProtocolError(`${CALL.operation}: etcd has compacted the requested revisions`);
    }
  }

  /** Number of events of one index that match a watch. */
  eventsAt(index: number, request: WatchRequest): number {
    const [first] = this.#cache.from(index);
    return first?.index === index ? eventsFor(request, first) : 0;
  }

  /** Delivers past events to a watch, and then new ones until it ends. */
  attach(watch: PushedWatch, opening: Opening): void {
    for (const past of this.#cache.from(watch.since)) {
      deliverHistory(watch, opening.request, past);
      if (watch.ended) return;
    }
    this.#cancelIdleTimeout();
    this.#watchers.add(watch, opening, this.index);
  }

  /** Delivers every event from `since` on to a feed, until it ends. */
  attachFeed(feed: FeedReader): void {
    for (const { index, events } of this.#cache.from(feed.since)) {
      for (const event of events) if (matchesLiveWatch(feed.request, event)) feed.push(event);
      feed.reached(index);
      if (feed.ended) return;
    }
    this.#cancelIdleTimeout();
    this.#watchers.addCurrent(feed);
    this.#feeds++;
    this.#progress.keepCurrent(feed.request.pollInterval);
  }

  /** Removes a feed. */
  detachFeed(feed: FeedReader): void {
    if (!this.#watchers.remove(feed)) return;
    if (--this.#feeds === 0) this.#progress.stopKeepingCurrent();
    this.#stopWhenIdle();
  }

  /** Removes a watch. */
  detach(watch: PushedWatch): void {
    if (this.#watchers.remove(watch)) this.#stopWhenIdle();
  }

  /**
   * Calls back when everything up to an index was delivered, and ensures that this happens soon. The
   * returned function cancels the call.
   */
  whenDelivered(index: number, callback: () => void): () => void {
    return this.#progress.whenDelivered(index - this.#settings.offset, callback);
  }

  /** Ensures that the index reaches a revision soon, even if nothing changes in the range. */
  proveQuiet(revision: number): void {
    if (!this.isStopped) this.#progress.proveQuiet(revision);
  }

  /** Keeps running without a watch until {@link release}. */
  hold(): void {
    this.#holders++;
  }

  release(): void {
    this.#holders--;
    this.#stopWhenIdle();
  }

  /** Stops after the idle timeout, unless it is needed. */
  #stopWhenIdle(): void {
    this.#cancelIdleTimeout();
    if (this.#isNeeded || this.isStopped) return;
    this.#cancelIdleTimeout = this.#settings.clock.after(this.#settings.idleTimeout, () => {
      if (!this.#isNeeded) this.end();
    });
  }

  /** Stops, and ends every watch without an error. */
  end(): void {
    this.#stop(new Compacted());
  }

  close(reason: Error): void {
    for (const watch of this.#watchers) watch.abort(reason);
    this.#stop(new AbortError(CALL.operation, reason, "none"));
  }

  get #isNeeded(): boolean {
    return this.#watchers.size + this.#holders > 0;
  }

  #run(onEstablished: () => void, onFailure: (error: Error) => void): void {
    const { schema, clock, pollInterval, writtenAt } = this.#settings;
    const { signal } = this.#running;
    const etcdWatch = new EtcdWatch(this.#api, schema.everything, clock, pollInterval);
    const nextOf = (): number => this.#progress.revision + 1;
    const isOffset = ({ kv }: KeyChange): boolean => kv.key.equals(schema.offset);
    const listener: EtcdWatchListener = {
      get next() {
        return nextOf();
      },
      failed: (error) => {
        if (this.#lastError === undefined) this.#trace("lost", error);
        this.#lastError = error;
      },
      established: async (header, quiets) => {
        if (this.#lastError !== undefined) this.#trace("restored");
        this.#lastError = undefined;
        await this.#verify(header.cluster_id, header.revision);
        onEstablished();
        const behind = header.revision - this.#progress.revision;
        // The second of two silent watches must receive something, or the next one gets more time.
        if (quiets > 0 && behind > (quiets > 1 ? 0 : QUIET_REVISIONS))
          void this.#progress.writeHeartbeat();
      },
      take: async (received) => {
        const [first] = received.revisions;
        if (first !== undefined) await this.#verify(this.#clusterId, first.number - 1);
        const newRevisions = received.revisions.filter(
          ({ number }) => number > this.#progress.revision,
        );
        const written = newRevisions.find(
          ({ number, changes }) => number > writtenAt && changes.some(isOffset),
        );
        const revisions =
          written === undefined
            ? newRevisions
            : newRevisions.slice(0, newRevisions.indexOf(written));
        const events = await translate(this.#api, revisions, this.#settings, CALL);
        await this.#take(events, written === undefined ? received.upTo : written.number - 1);
        if (written !== undefined) this.#settings.offsetWritten();
      },
    };
    etcdWatch.run(listener, signal).catch((error: Error) => {
      this.#stop(error);
      onFailure(this.#stopped ?? error);
    });
  }

  /**
   * Ensures that the watched store is still the same. A member may be behind. A linearizable read
   * recognizes another store, and then ends this watch.
   *
   * @throws Compacted, AbortError, and the errors of the read
   */
  async #verify(clusterId: string, revision: number): Promise<void> {
    if (clusterId !== this.#clusterId) throw new Compacted();
    const { signal } = this.#running;
    if (revision < this.#progress.revision)
      await this.#settings.currentRevision.get(CALL.operation, signal);
    signal.throwIfAborted();
  }

  async #take(delivered: readonly IndexEvents[], upTo: number): Promise<void> {
    let count = 0;
    for (const { index, events } of delivered) {
      if (this.isStopped) return;
      if (events.length > 0) this.#cache.add({ index, events });
      this.#lastChange = index - this.#settings.offset;
      this.#watchers.deliver({ index, events });
      this.#progress.advanceTo(this.#lastChange);
      count += events.length;
      if (count < EVENTS_PER_TURN) continue;
      // Let readers keep up with many events at once.
      await nextTurn();
      count = 0;
    }
    this.#progress.advanceTo(Math.max(this.#progress.revision, upTo));
    this.#settings.generation.delivered(this.#generation, this.#progress.revision);
  }

  /** Ensures that a change at the start of this watch, or later, marks the end of its past. */
  readonly #prove = async (): Promise<boolean> => {
    const { offset } = this.#settings;
    return (
      this.#lastChange >= this.#cache.floor - offset || (await this.#progress.writeHeartbeat())
    );
  };

  #trace(event: "lost" | "restored" | "ended", cause?: Error): void {
    const { keyPrefix } = this.#settings.schema;
    traceServerState({ kind: "watch", event, keyPrefix, cause });
  }

  /** Ends all watches: they must be opened again, and may then get 401. */
  #stop(error: Error): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = error;
    this.#cancelIdleTimeout();
    this.#progress.stop();
    this.#onStop();
    if (this.#watchers.size > 0 && !(error instanceof AbortError)) this.#trace("ended", error);
    for (const watch of this.#watchers) end(watch, error);
    this.#running.abort(error);
  }
}

function end(reader: EventReader, error: Error): void {
  if (error instanceof Compacted) reader.end();
  else reader.fail(error);
}

const CALL: V3Call = { operation: "GET /?wait=true", key: "/", safety: "read", scope: "local" };
