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
  /** First index that has a meaning: those before the offset was written were never shown. */
  readonly firstIndex: number;
}

/** Revisions that are read at first; twice as many each time. */
const FIRST_PIECE = 128;
/**
 * Revisions of the cluster before the present that are read at most. etcd reads all of them at once,
 * whether or not they concern the tree.
 */
const REACH = 10_000;
/** Changes of a write by this library that makes one event: the file, records, some markers. */
const CHANGES_PER_EVENT = 4;

/**
 * Reads again what happened before the events that are held: in pieces from new to old, so that etcd
 * is never asked for much more than is wanted and has room, however many changes a revision has.
 */
export class History {
  readonly #api: V3Api;
  readonly #settings: HistorySettings;
  readonly #ring: EventCache;
  readonly #call: V3Call;
  /** Index of which, and before which, nothing can be had any more. */
  #lost = 0;
  #reading: Promise<boolean> | undefined;

  /** Nothing is read any more once the signal aborts. */
  constructor(api: V3Api, cache: EventCache, settings: HistorySettings, signal: AbortSignal) {
    this.#api = api;
    this.#ring = cache;
    this.#settings = settings;
    this.#call = { ...CALL, signal };
  }

  /** First index that the ring can be made to begin at, as far as is known. */
  get floor(): number {
    return Math.max(this.#settings.firstIndex, this.#lost + 1);
  }

  /**
   * Puts what happened from an index on into the ring, once for all who ask at the same time.
   *
   * @param newest index of the store
   * @param prove makes sure that something has happened at the end of what is read, or answers false
   * @returns whether the ring begins at the index or before
   */
  async reach(index: number, newest: number, prove: () => Promise<boolean>): Promise<boolean> {
    while (index < this.#ring.floor && index >= Math.max(this.floor, newest - REACH)) {
      this.#reading ??= this.#extend(index, prove).finally(() => {
        this.#reading = undefined;
      });
      if (!(await this.#reading)) break;
    }
    return index >= this.#ring.floor;
  }

  /** @returns false when it cannot be known where the past ends */
  async #extend(index: number, prove: () => Promise<boolean>): Promise<boolean> {
    if (!(await prove())) return false;
    let [width, grows] = [FIRST_PIECE, true];
    while (index < this.#ring.floor) {
      const to = this.#ring.floor;
      const from = Math.max(index, to - width);
      if (this.#ring.room > 0 && (await this.#readPiece(from, to))) {
        if (grows) width *= 2;
        continue;
      }
      // Less of it may still be there, and not too much.
      grows = false;
      width = Math.floor((to - from) / 2);
      if (width === 0 || this.#ring.room === 0) {
        this.#lost = this.#ring.floor - 1;
        break;
      }
    }
    return true;
  }

  async #readPiece(from: number, to: number): Promise<boolean> {
    const { schema, clock, offset } = this.#settings;
    const limit = CHANGES_PER_EVENT * this.#ring.room;
    const past = { from: from - offset, to: to - offset, limit };
    const revisions = await readHistory(this.#api, schema.everything, past, clock, this.#call);
    if (revisions === undefined) return false;
    const events = await translate(this.#api, revisions, this.#settings, this.#call);
    return this.#ring.prepend({ from, to, events });
  }
}

const CALL: V3Call = { operation: "GET /?wait=true", key: "/", safety: "read", scope: "local" };
