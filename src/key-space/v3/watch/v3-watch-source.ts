import { AbortError } from "../../../errors/abort-error.js";
import { errorDefinition } from "../../../errors/error-table.js";
import { serverErrorOf } from "../../../errors/server-error-of.js";
import type { ScanRequest, WatchRequest } from "../../../model/key-request.js";
import type { AnswerOrigin } from "../../../model/response.js";
import type { Clock } from "../../../time/clock.js";
import type { CallOptions, Probe, Scan } from "../../key-space.js";
import { pathOf } from "../../path.js";
import { PushedWatch } from "../../watch/pushed-watch.js";
import type { KeyLayout } from "../key-layout.js";
import type { V3Api } from "../v3-api.js";
import { originOf } from "../v3-store.js";
import { EventFeed } from "./event-feed.js";
import { type Freshness, FreshRevision } from "./fresh-revision.js";
import { beat } from "./heartbeat.js";

/** Settings of a {@link V3WatchSource}. */
export interface V3WatchSettings {
  readonly layout: KeyLayout;
  readonly clock: Clock;
  /** What is added to revisions; asked once. */
  offset(): Promise<number>;
  /**
   * Whether a watch that does not stream ends after one event, as HTTP's long polls must, or after
   * all events of the same index. In the first case a poll that would skip the rest is told 401.
   */
  readonly oneEventPerPoll: boolean;
  /** Revisions before the first watcher's that are read to begin with. */
  readonly foresight: number;
  /** Milliseconds for which etcd is still watched when nobody here does. */
  readonly linger: number;
  /** Milliseconds of silence after which the watch on etcd is opened anew. */
  readonly pollInterval: number;
}

/** How the watches of a key space are served. */
export interface WatchFigures {
  /** Watches that wait. */
  readonly watchers: number;
  /** Events held for watches that come late. */
  readonly held: number;
  /** Index up to which every watch was told everything; 0 before the first watch. */
  readonly index: number;
}

/** Events held for watchers that come late: ten times as many as etcd v2's. */
const LIMITS = { events: 10_000, characters: 32 * 1024 * 1024 };

/** Opens watches, all of which are served by one watch on etcd. */
export class V3WatchSource {
  readonly #api: V3Api;
  readonly #settings: V3WatchSettings;
  readonly #fresh: FreshRevision;
  #feed: Promise<EventFeed> | undefined;
  #opened: EventFeed | undefined;

  constructor(api: V3Api, settings: V3WatchSettings) {
    this.#api = api;
    this.#settings = settings;
    this.#fresh = new FreshRevision(api, settings.layout.offset);
  }

  get figures(): WatchFigures {
    const { watchers = 0, held = 0, index = 0 } = this.#opened ?? {};
    return { watchers, held, index };
  }

  /**
   * Opens a watch.
   *
   * @throws EventIndexClearedError, UnauthorizedError, ClusterUnavailableError, AbortError
   */
  async openWatch(request: WatchRequest, options: CallOptions = {}): Promise<PushedWatch> {
    const [feed, offset] = await Promise.all([this.#feedOf(), this.#settings.offset()]);
    const fresh = await this.#fresh.get(`GET ${request.key}`, options.signal);
    try {
      return await this.#open(feed, request, fresh, offset, options.signal);
    } finally {
      feed.rest();
    }
  }

  /** Reads from the past. @throws as {@link openWatch} */
  async scan(request: ScanRequest, options: CallOptions = {}): Promise<Scan> {
    const { key, recursive, since, until = 0 } = request;
    const begin = { key, recursive, waitIndex: since, stream: true };
    const scan = await (await this.openWatch(begin, options)).scan();
    const feed = await this.#feedOf();
    const { provenIndex = 0 } = scan;
    if (provenIndex >= until || !(await feed.catchUp(until))) return scan;
    return await (await this.openWatch(begin, options)).scan();
  }

  async #open(
    feed: EventFeed,
    request: WatchRequest,
    fresh: Freshness,
    offset: number,
    signal: AbortSignal | undefined,
  ): Promise<PushedWatch> {
    const { key, recursive = false, waitIndex = 0, stream = false } = request;
    const origin = originOf(fresh, offset);
    const since = waitIndex === 0 ? origin.etcdIndex + 1 : waitIndex;
    if (since <= offset || !(await feed.reach(this.#firstNeeded(request, since), fresh))) {
      throw cleared(request, Math.max(feed.floor, offset + 1), origin);
    }
    if (await this.#wouldSkip(feed, request, origin)) throw cleared(request, since + 1, origin);
    if (signal?.aborted === true) throw new AbortError(`GET ${key}`, signal.reason, "none");
    const until = stream ? "closed" : this.#settings.oneEventPerPoll ? "event" : "index";
    const probe = async (options: CallOptions): Promise<Probe> => {
      const { clusterId, revision } = await this.#fresh.get(`GET ${key}`, options.signal);
      return { etcdClusterId: clusterId, index: revision + offset };
    };
    const options = { path: pathOf(key), recursive, since, until, signal, probe } as const;
    const began = waitIndex === 0 ? origin : upTo(origin, feed.index);
    const watch: PushedWatch = new PushedWatch(began, options, () => feed.detach(watch));
    feed.attach(watch, request, origin.etcdIndex);
    return watch;
  }

  /** Ends the watches that stand. */
  close(): void {
    this.#opened?.close(new Error("the key space was closed"));
  }

  #feedOf(): Promise<EventFeed> {
    this.#feed ??= this.#openFeed().catch((error: unknown) => {
      this.#feed = undefined;
      throw error;
    });
    return this.#feed;
  }

  async #openFeed(): Promise<EventFeed> {
    const { layout, clock, foresight, linger, pollInterval, oneEventPerPoll } = this.#settings;
    const offset = await this.#settings.offset();
    const settings = {
      layout,
      clock,
      offset,
      foresight,
      linger,
      limits: LIMITS,
      pollInterval,
      catchesUp: oneEventPerPoll,
    };
    this.#opened = new EventFeed(this.#api, settings);
    return this.#opened;
  }

  /** A poll that tells one event at a time looks at the index before, too. */
  #firstNeeded({ waitIndex = 0, stream = false }: WatchRequest, since: number): number {
    const looksBack = this.#settings.oneEventPerPoll && !stream && waitIndex > 1;
    return looksBack ? since - 1 : since;
  }

  /**
   * Whether a poll would go on after the first of several events of one index, of which a poll can
   * tell no more than one.
   */
  async #wouldSkip(feed: EventFeed, request: WatchRequest, origin: AnswerOrigin): Promise<boolean> {
    const { waitIndex = 0, stream = false } = request;
    if (!this.#settings.oneEventPerPoll || stream || waitIndex < 2) return false;
    if (feed.eventsAt(waitIndex - 1, request) < 2) return false;
    // Whoever reads anew would be sent to the same index for as long as nothing happens.
    if (waitIndex > origin.etcdIndex) await beat(this.#api, this.#settings.layout);
    return true;
  }
}

/**
 * The origin of a watch that begins in the past. A client may conclude from a watch that ends without
 * an event that nothing has happened up to its index: so it must not be newer than what was delivered.
 */
function upTo(origin: AnswerOrigin, told: number): AnswerOrigin {
  const index = Math.min(origin.etcdIndex, told);
  return { ...origin, etcdIndex: index, raftIndex: index };
}

function cleared({ key, waitIndex = 0 }: WatchRequest, floor: number, origin: AnswerOrigin): Error {
  return serverErrorOf({
    ...errorDefinition(401),
    errorCode: 401,
    detail: `the requested history has been cleared [${floor}/${waitIndex}]`,
    index: origin.etcdIndex,
    key,
    operation: `GET ${key}`,
    endpoint: origin.etcdServer,
    clusterId: origin.etcdClusterId,
  });
}
