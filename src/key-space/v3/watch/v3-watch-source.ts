import { AbortError } from "../../../errors/abort-error.js";
import { errorDefinition } from "../../../errors/error-table.js";
import { serverErrorOf } from "../../../errors/server-error-of.js";
import type { V3Api } from "../../../etcd3/v3-api.js";
import type { ScanRequest, WatchRequest } from "../../../model/key-request.js";
import type { AnswerOrigin } from "../../../model/response.js";
import type { Clock } from "../../../time/clock.js";
import type { CallOptions, Probe, Scan } from "../../key-space.js";
import { pathOf } from "../../shared/path.js";
import { PushedWatch } from "../../shared/pushed-watch.js";
import type { KeySchema } from "../schema/key-schema.js";
import type { StoreGeneration } from "../schema/store-generation.js";
import { type IndexScale, originOf } from "../schema/v3-tree.js";
import { CurrentRevision, type Freshness } from "./current-revision.js";
import { beat } from "./heartbeat.js";
import { SharedWatch } from "./shared-watch.js";

/** Settings of a {@link V3WatchSource}. */
export interface V3WatchSettings {
  readonly schema: KeySchema;
  readonly clock: Clock;
  readonly generation: StoreGeneration;
  /** How revisions become indexes at present. */
  scale(): Promise<IndexScale>;
  /** Called when the watch on etcd has come upon another offset. */
  scaleWritten(): void;
  /**
   * Whether a watch that does not stream ends after one event, as HTTP's long polls must, or after
   * all events of the same index. In the first case a poll that would skip the rest is told 401.
   */
  readonly oneEventPerPoll: boolean;
  /** Milliseconds for which etcd is still watched when nobody here does. */
  readonly idleTimeout: number;
  /** Milliseconds of silence after which the watch on etcd is opened anew. */
  readonly pollInterval: number;
}

/** How the watches of a key space are served. */
export interface WatchFigures {
  /** Watches that wait. */
  readonly watchers: number;
  /** Events held for watches that come late. */
  readonly held: number;
  /** Index up to which every watch was told everything; 0 while etcd is not watched. */
  readonly index: number;
}

/** Events held for watchers that come late: ten times as many as etcd v2's. */
const LIMITS = { events: 10_000, characters: 32 * 1024 * 1024 };

/** Opens watches, all of which are served by one watch on etcd. */
export class V3WatchSource {
  readonly #api: V3Api;
  readonly #settings: V3WatchSettings;
  readonly #fresh: CurrentRevision;
  #sharedWatch: SharedWatch | undefined;
  /** What was added to revisions last. */
  #offset = 0;
  /** Newest index of the store before this one. */
  #lostIndex = 0;

  constructor(api: V3Api, settings: V3WatchSettings) {
    this.#api = api;
    this.#settings = settings;
    this.#fresh = new CurrentRevision(api, settings.schema.offset);
    settings.generation.onChange((lastRevision) => {
      this.#lostIndex = lastRevision + this.#offset;
      this.#sharedWatch?.end();
    });
  }

  get figures(): WatchFigures {
    const { watchers = 0, held = 0, index = 0 } = this.#sharedWatch ?? {};
    return { watchers, held, index };
  }

  /**
   * Opens a watch.
   *
   * @throws EventIndexClearedError, UnauthorizedError, ClusterUnavailableError, AbortError
   */
  async openWatch(request: WatchRequest, options: CallOptions = {}): Promise<PushedWatch> {
    const { generation } = this.#settings;
    for (;;) {
      const { number } = generation;
      const scale = await this.#settings.scale();
      const fresh = await this.#fresh.get(`GET ${request.key}`, options.signal);
      if (number !== generation.number) continue;
      if ((await this.#settings.scale()).writtenAt !== scale.writtenAt) continue;
      this.#offset = scale.offset;
      this.#sharedWatch ??= this.#watchFrom(fresh, scale);
      const sharedWatch = this.#sharedWatch;
      try {
        const watch = await this.#open(sharedWatch, request, fresh, scale, options.signal);
        if (watch !== undefined) return watch;
      } catch (error) {
        // What was asked of the store before says nothing of the present one.
        if (number === generation.number) throw error;
      } finally {
        sharedWatch.rest();
      }
    }
  }

  /** Reads from the past. @throws as {@link openWatch} */
  async scan(request: ScanRequest, options: CallOptions = {}): Promise<Scan> {
    const { key, recursive, since, until = 0 } = request;
    const begin = { key, recursive, waitIndex: since, stream: true };
    const scan = await (await this.openWatch(begin, options)).scan();
    const { provenIndex = 0 } = scan;
    if (provenIndex >= until || !(await this.#sharedWatch?.catchUp(until))) return scan;
    return await (await this.openWatch(begin, options)).scan();
  }

  /** @returns nothing when the feed has stopped meanwhile */
  async #open(
    sharedWatch: SharedWatch,
    request: WatchRequest,
    fresh: Freshness,
    { offset, firstIndex }: IndexScale,
    signal: AbortSignal | undefined,
  ): Promise<PushedWatch | undefined> {
    const { key, recursive = false, waitIndex = 0, stream = false } = request;
    const origin = originOf(fresh, offset);
    const openedAt = origin.etcdIndex;
    const since = waitIndex === 0 ? openedAt + 1 : waitIndex;
    const looksBack = this.#settings.oneEventPerPoll && !stream && waitIndex > firstIndex;
    if (since < firstIndex || (since > openedAt + 1 && since <= this.#lostIndex + 1)) {
      throw cleared(request, Math.max(sharedWatch.floor, firstIndex), origin);
    }
    if (!(await sharedWatch.reach(looksBack ? since - 1 : since, fresh))) {
      throw cleared(request, sharedWatch.floor, origin);
    }
    if (looksBack && sharedWatch.eventsAt(since - 1, request) > 1) {
      // Whoever reads anew would be sent to the same index for as long as nothing happens.
      if (since > openedAt) await beat(this.#api, this.#settings.schema);
      throw cleared(request, since + 1, origin);
    }
    if (sharedWatch.isStopped) return undefined;
    if (signal?.aborted === true) throw new AbortError(`GET ${key}`, signal.reason, "none");
    if (waitIndex > 0) sharedWatch.proveQuiet(fresh.revision);
    const until = stream ? "closed" : this.#settings.oneEventPerPoll ? "event" : "index";
    const began = waitIndex === 0 ? origin : upTo(origin, sharedWatch.index);
    const probe = (options: CallOptions): Promise<Probe> => this.#probe(key, options.signal);
    const options = { path: pathOf(key), recursive, since, until, signal, probe } as const;
    const watch: PushedWatch = new PushedWatch(began, options, () => sharedWatch.detach(watch));
    sharedWatch.attach(watch, { request, openedAt, looksBack });
    return watch;
  }

  /** Ends the watches that stand, so that they are opened anew: indexes have another offset. */
  beginAnew(): void {
    this.#sharedWatch?.end();
  }

  /** Ends the watches that stand. */
  close(): void {
    this.#sharedWatch?.close(new Error("the key space was closed"));
  }

  #watchFrom(fresh: Freshness, scale: IndexScale): SharedWatch {
    const { schema, clock, idleTimeout, pollInterval, generation, scaleWritten } = this.#settings;
    const settings = {
      ...{
        schema: schema,
        clock,
        idleTimeout,
        pollInterval,
        generation,
        scaleWritten,
        limits: LIMITS,
      },
      ...{ fresh: this.#fresh, ...scale },
    };
    const sharedWatch: SharedWatch = new SharedWatch(this.#api, settings, fresh, () => {
      if (this.#sharedWatch === sharedWatch) this.#sharedWatch = undefined;
    });
    return sharedWatch;
  }

  async #probe(key: string, signal: AbortSignal | undefined): Promise<Probe> {
    const { clusterId, revision } = await this.#fresh.get(`GET ${key}`, signal);
    return { etcdClusterId: clusterId, index: revision + (await this.#settings.scale()).offset };
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
