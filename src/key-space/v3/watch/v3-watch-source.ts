import { AbortError } from "../../../errors/abort-error.js";
import { ProtocolError } from "../../../errors/cluster-errors.js";
import type { V3Api } from "../../../etcd3/v3-api.js";
import type { WatchRequest } from "../../../model/key-request.js";
import type { ResponseOrigin } from "../../../model/response.js";
import type { Clock } from "../../../time/clock.js";
import { ReconnectPace } from "../../../time/reconnect-pace.js";
import type { CallOptions } from "../../call-options.js";
import type { Feed, FeedSink } from "../../shared/feed.js";
import { historyCleared } from "../../shared/history-cleared.js";
import { pathOf } from "../../shared/path.js";
import { PushedWatch } from "../../shared/pushed-watch.js";
import type { SubscribeRequest } from "../../subscription.js";
import { checkPath } from "../schema/check-path.js";
import type { KeySchema } from "../schema/key-schema.js";
import type { StoreGeneration } from "../schema/store-generation.js";
import { type IndexOffset, originOf } from "../schema/v3-tree.js";
import { CurrentRevision, type StoreHead } from "./current-revision.js";
import { writeHeartbeat } from "./heartbeat.js";
import { SharedWatch } from "./shared-watch.js";
import { type FeedContext, V3Feed } from "./v3-feed.js";

/** Settings of a {@link V3WatchSource}. */
export interface V3WatchSettings {
  readonly schema: KeySchema;
  readonly clock: Clock;
  readonly generation: StoreGeneration;
  /** The current index offset, which converts revisions to indexes. */
  indexOffset(): Promise<IndexOffset>;
  /** Called when the watch on etcd has found another offset. */
  offsetWritten(): void;
  /**
   * Whether a watch without `stream` ends after one event, as long polls over HTTP must, or after
   * all events of the same index. With one event, a poll that would skip the rest gets 401.
   */
  readonly oneEventPerPoll: boolean;
  /** Milliseconds for which etcd is still watched without a watcher here. */
  readonly idleTimeout: number;
  /** Milliseconds of silence after which the watch on etcd is opened again. */
  readonly pollInterval: number;
}

/** Metrics of the watches of a key space. */
export interface WatchMetrics {
  /** Number of open watches. */
  readonly watchers: number;
  /** Number of events kept for watches that start in the past. */
  readonly held: number;
  /** Index up to which everything was delivered to every watch; 0 while etcd is not watched. */
  readonly index: number;
}

/** The shared watch of the current store, and the response that confirmed the store. */
interface V3Joined {
  readonly sharedWatch: SharedWatch;
  readonly head: StoreHead;
  /** First valid index. */
  readonly firstIndex: number;
  readonly origin: ResponseOrigin;
  /** Number of the store's generation. */
  readonly generation: number;
}

/** Attempts to find one store: several can respond while one replaces another. */
const MAX_JOIN_ATTEMPTS = 5;

/** Limits of the kept events: ten times as many as in etcd v2. */
const LIMITS = { events: 10_000, characters: 32 * 1024 * 1024 };

/** Opens watches, which share one watch on etcd. */
export class V3WatchSource {
  readonly #api: V3Api;
  readonly #settings: V3WatchSettings;
  readonly #currentRevision: CurrentRevision;
  #sharedWatch: SharedWatch | undefined;
  /** Index of the last one, when it ended. */
  #lastIndex = 0;
  /** The offset that was used last. */
  #offset = 0;
  /** Newest index of the previous store. */
  #lostIndex = 0;

  constructor(api: V3Api, settings: V3WatchSettings) {
    this.#api = api;
    this.#settings = settings;
    this.#currentRevision = new CurrentRevision(api, settings.schema.offset);
    settings.generation.onChange((lastRevision) => {
      this.#lostIndex = lastRevision + this.#offset;
      this.#sharedWatch?.end();
    });
  }

  get metrics(): WatchMetrics {
    const { watchers = 0, held = 0, index = this.#lastIndex } = this.#sharedWatch ?? {};
    return { watchers, held, index };
  }

  /**
   * Opens a watch.
   *
   * @throws EventIndexClearedError, UnauthorizedError, ClusterUnavailableError, AbortError
   */
  async openWatch(request: WatchRequest, options: CallOptions = {}): Promise<PushedWatch> {
    const pace = new ReconnectPace(this.#settings.clock);
    for (;;) {
      pace.opens();
      const joined = await this.#join(`GET ${request.key}`, options.signal);
      try {
        const watch = await this.#open(joined, request, options.signal);
        if (watch !== undefined) return watch;
      } catch (error) {
        // An error of a shared watch that has ended says nothing about the next one.
        const isPrevious = joined.generation !== this.#settings.generation.number;
        const isOfEnd = error instanceof AbortError || error instanceof ProtocolError;
        const hasEnded = isOfEnd && joined.sharedWatch.mustReopen;
        if (options.signal?.aborted === true || !(isPrevious || hasEnded)) throw error;
      } finally {
        joined.sharedWatch.release();
      }
      await pace.pause(options.signal);
    }
  }

  /** The feed of a subscription. `keySpace` reads the state of a resync. */
  feed(keySpace: FeedContext["keySpace"], request: SubscribeRequest, sink: FeedSink): Feed {
    const { clock, generation } = this.#settings;
    const context: FeedContext = {
      keySpace,
      clock,
      get generation() {
        return generation.number;
      },
      join: async (signal) => {
        checkPath(pathOf(request.key), { operation: `GET ${request.key}`, key: request.key });
        const joined = await this.#join(`GET ${request.key}`, signal);
        const { key } = request;
        return {
          ...joined,
          readBack: (since) => readBack(joined, { key, waitIndex: since }, since),
        };
      },
    };
    return new V3Feed(context, request, sink);
  }

  /**
   * Returns the shared watch of the current store, which is started if necessary and runs until the
   * caller releases it.
   */
  async #join(operation: string, signal: AbortSignal | undefined): Promise<V3Joined> {
    const { generation } = this.#settings;
    for (let attempt = 0; attempt < MAX_JOIN_ATTEMPTS; attempt++) {
      const { number } = generation;
      const indexOffset = await this.#settings.indexOffset();
      const head = await this.#currentRevision.get(operation, signal);
      if (number !== generation.number) continue;
      if ((await this.#settings.indexOffset()).writtenAt !== indexOffset.writtenAt) continue;
      this.#offset = indexOffset.offset;
      this.#sharedWatch ??= this.#watchFrom(head, indexOffset);
      const { offset, firstIndex } = indexOffset;
      const sharedWatch = this.#sharedWatch;
      sharedWatch.hold();
      return { sharedWatch, head, firstIndex, origin: originOf(head, offset), generation: number };
    }
    throw new ProtocolError(`${operation}: each response comes from another store`);
  }

  /** @returns `undefined` when the shared watch has stopped, or has dropped the events meanwhile */
  async #open(
    joined: V3Joined,
    request: WatchRequest,
    signal: AbortSignal | undefined,
  ): Promise<PushedWatch | undefined> {
    const { key, recursive = false, waitIndex = 0, stream = false } = request;
    const { sharedWatch, head, firstIndex, origin } = joined;
    const openedAt = origin.etcdIndex;
    const since = waitIndex === 0 ? openedAt + 1 : waitIndex;
    const looksBack = this.#settings.oneEventPerPoll && !stream && waitIndex > firstIndex;
    if (since > openedAt + 1 && since <= this.#lostIndex + 1) throw cleared(request, joined);
    const first = looksBack ? since - 1 : since;
    await readBack(joined, request, first);
    if (looksBack && sharedWatch.eventsAt(since - 1, request) > 1) {
      // Without a new event, a client that reads again would continue from the same index forever.
      if (since > openedAt) await writeHeartbeat(this.#api, this.#settings.schema);
      throw cleared(request, joined, since + 1);
    }
    if (sharedWatch.isStopped || !sharedWatch.holds(first)) return undefined;
    if (signal?.aborted === true) throw new AbortError(`GET ${key}`, signal.reason, "none");
    if (waitIndex > 0) sharedWatch.proveQuiet(head.header.revision);
    const until = stream ? "closed" : this.#settings.oneEventPerPoll ? "event" : "index";
    const watchOrigin = waitIndex === 0 ? origin : upTo(origin, sharedWatch.index);
    const delivered = (): number => sharedWatch.index;
    const options = { path: pathOf(key), recursive, since, until, signal, delivered } as const;
    const watch: PushedWatch = new PushedWatch(watchOrigin, options, () =>
      sharedWatch.detach(watch),
    );
    sharedWatch.attach(watch, { request, openedAt, looksBack });
    return watch;
  }

  /** Ends the open watches, so that they are opened again with the new index offset. */
  reopenAll(): void {
    this.#sharedWatch?.end();
  }

  /** Ends the open watches. */
  close(): void {
    this.#sharedWatch?.close(new Error("the key space was closed"));
  }

  #watchFrom(head: StoreHead, indexOffset: IndexOffset): SharedWatch {
    const currentRevision = this.#currentRevision;
    const settings = { ...this.#settings, ...indexOffset, currentRevision, limits: LIMITS };
    const sharedWatch: SharedWatch = new SharedWatch(this.#api, settings, head.header, () => {
      if (this.#sharedWatch !== sharedWatch) return;
      // Otherwise the rate of the metric would jump whenever the watch is opened again.
      this.#lastIndex = sharedWatch.index;
      this.#sharedWatch = undefined;
    });
    return sharedWatch;
  }
}

/**
 * The origin of a watch that starts in the past. When a watch ends without an event, clients
 * conclude that nothing happened up to its index. So the index must not be newer than what was
 * delivered.
 */
function upTo(origin: ResponseOrigin, delivered: number): ResponseOrigin {
  const index = Math.min(origin.etcdIndex, delivered);
  return { ...origin, etcdIndex: index, raftIndex: index };
}

/**
 * Makes every event from an index on available.
 *
 * @throws EventIndexClearedError
 */
async function readBack(joined: V3Joined, request: WatchRequest, from: number): Promise<void> {
  const { sharedWatch, head, firstIndex } = joined;
  if (from >= firstIndex && (await sharedWatch.readBack(from, head))) return;
  throw cleared(request, joined);
}

/** @param floor first index with which a watch may begin */
function cleared(
  request: WatchRequest,
  { sharedWatch, firstIndex, origin }: V3Joined,
  floor = Math.max(sharedWatch.floor, firstIndex),
): Error {
  return historyCleared(request, floor, origin);
}
