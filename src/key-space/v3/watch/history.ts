import type { V3Api, V3Call } from "../../../etcd3/v3-api.js";
import type { Clock } from "../../../time/clock.js";
import type { EventCache } from "../../shared/event-cache.js";
import type { KeySchema } from "../schema/key-schema.js";
import { readHistory } from "./read-history.js";
import { type Translation, translate } from "./translate.js";

/** Settings of a {@link History}. */
export interface HistorySettings extends Translation {
  readonly schema: KeySchema;
  readonly clock: Clock;
  /** First valid index: those before the offset was written were never shown. */
  readonly firstIndex: number;
}

/** Number of revisions of the first read; doubled with each further one. */
const FIRST_PIECE_SIZE = 128;
/**
 * Maximum number of the cluster's revisions before the current one. etcd reads all of them at once,
 * even those of other keys.
 */
const MAX_REVISIONS_BACK = 10_000;
/** Number of changes per event of this library: the file, records, some markers. */
const CHANGES_PER_EVENT = 4;

/**
 * Reads events older than the cache: in pieces from new to old. So etcd is never asked for much
 * more than fits into the cache, whatever the number of changes per revision.
 */
export class History {
  readonly #api: V3Api;
  readonly #settings: HistorySettings;
  readonly #cache: EventCache;
  readonly #call: V3Call;
  /** Greatest index whose events are no longer available. */
  #lostIndex = 0;
  #reading: Promise<boolean> | undefined;

  /** Reading stops when the signal aborts. */
  constructor(api: V3Api, cache: EventCache, settings: HistorySettings, signal: AbortSignal) {
    this.#api = api;
    this.#cache = cache;
    this.#settings = settings;
    this.#call = { ...CALL, signal };
  }

  /** First index to which the cache can be extended, as far as is known. */
  get floor(): number {
    return Math.max(this.#settings.firstIndex, this.#lostIndex + 1);
  }

  /**
   * Extends the cache back to an index. Concurrent callers share the reads.
   *
   * @param newest index of the store
   * @param prove ensures that a change exists at the end of the range to read; resolves to `false`
   * if it cannot
   * @returns whether the cache starts at the index or before
   */
  async readBack(index: number, newest: number, prove: () => Promise<boolean>): Promise<boolean> {
    while (
      index < this.#cache.floor &&
      index >= Math.max(this.floor, newest - MAX_REVISIONS_BACK)
    ) {
      this.#reading ??= this.#extend(index, prove).finally(() => {
        this.#reading = undefined;
      });
      if (!(await this.#reading)) break;
    }
    return index >= this.#cache.floor;
  }

  /** @returns `false` when the end of the range is unknown */
  async #extend(index: number, prove: () => Promise<boolean>): Promise<boolean> {
    if (!(await prove())) return false;
    let [width, isGrowing] = [FIRST_PIECE_SIZE, true];
    while (index < this.#cache.floor) {
      const to = this.#cache.floor;
      const from = Math.max(index, to - width);
      if (this.#cache.room > 0 && (await this.#readPiece(from, to))) {
        if (isGrowing) width *= 2;
        continue;
      }
      // A smaller piece may be available and fit.
      isGrowing = false;
      width = Math.floor((to - from) / 2);
      if (width === 0 || this.#cache.room === 0) {
        this.#lostIndex = this.#cache.floor - 1;
        break;
      }
    }
    return true;
  }

  async #readPiece(from: number, to: number): Promise<boolean> {
    const { schema, clock, offset } = this.#settings;
    const limit = CHANGES_PER_EVENT * this.#cache.room;
    const past = { from: from - offset, to: to - offset, limit };
    const revisions = await readHistory(this.#api, schema.everything, past, clock, this.#call);
    if (revisions === undefined) return false;
    const events = await translate(this.#api, revisions, this.#settings, this.#call);
    return this.#cache.prepend({ from, to, events });
  }
}

const CALL: V3Call = { operation: "GET /?wait=true", key: "/", safety: "read", scope: "local" };
