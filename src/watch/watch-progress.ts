import type { Probe, Scan } from "../key-space/key-space.js";
import { matchesWatch } from "../key-space/shared/matches-watch.js";
import type { EtcdResponse } from "../model/response.js";
import type { WatchResync } from "../model/watch-item.js";
import { Currency } from "./currency.js";
import type { ItemBuffer } from "./item-buffer.js";
import { ResumePoint } from "./resume-point.js";
import type { WatchSettings } from "./watch-source.js";

/** More items wait than the consumer's buffer holds. */
export class BufferFull extends Error {}

/** The indexes seen so far mean nothing any more: another cluster answers, or an earlier state of it. */
export class OtherCluster extends Error {}

/**
 * How far a watch has come. Its methods are the only ways in which it moves on, and each of them is a
 * proof: nothing is concluded from the silence of a connection.
 */
export class WatchProgress {
  readonly resumePoint = new ResumePoint();
  readonly #settings: WatchSettings;
  readonly #buffer: ItemBuffer;
  /** Called when there was news of the key, or proof that there is none. */
  readonly #onProgress: () => void;
  readonly #currency = new Currency();
  /** Index up to which nothing is pending, also no other change of that index. */
  #provenIndex = 0;
  /** Greatest index that the store is known to have reached. */
  #newest = 0;
  /** Index of the last event that was taken, and how current the watch was before all events of it. */
  #lastIndex = 0;
  #currentBefore: number | undefined;

  constructor(settings: WatchSettings, buffer: ItemBuffer, onProgress: () => void) {
    this.#settings = settings;
    this.#buffer = buffer;
    this.#onProgress = onProgress;
    if (settings.from === undefined) return;
    this.resumePoint.startAt(settings.from);
    this.#newest = settings.from - 1;
    this.#provenIndex = settings.from - 1;
  }

  /** Monotonic moment: every change that was committed before it was put into the buffer. */
  get currentAt(): number | undefined {
    return this.#currency.provenAt;
  }

  /** Greatest index that the store is known to have reached: a read that begins now must not show less. */
  get newest(): number {
    return this.#newest;
  }

  /** A connection begins behind an index that the store has reached; so does the watch, if it is new. */
  begin(index: number): void {
    this.resumePoint.startAtFirst(index + 1);
    this.#newest = Math.max(this.#newest, index);
  }

  /**
   * Takes an event of a stream or poll that began at or before the resume point, and of which all
   * earlier events were taken.
   *
   * @returns whether it was new
   */
  takeEvent(event: EtcdResponse): boolean {
    if (!this.#take(event)) return false;
    // etcd has one event an index. A key space that has several brings them together.
    this.#prove(event.node.modifiedIndex);
    this.#onProgress();
    return true;
  }

  /** Takes a scan that began at or before the resume point. @returns whether it had a new event */
  takeScan({ events, provenIndex = 0 }: Scan): boolean {
    let isNew = false;
    for (const event of events) isNew = this.#take(event) || isNew;
    const isAdvanced = this.#advance(provenIndex);
    if (isNew || isAdvanced) this.#onProgress();
    return isNew;
  }

  /**
   * Takes a linearizable read that began at a moment, when `newest` was as given. A file that has not
   * changed since the resume point was not changed up to the read.
   */
  takeProbe({ index, fileIndex }: Probe, askedAt: number, newest: number): void {
    this.#takeReading(index, askedAt, newest);
    const isUnchanged = fileIndex !== undefined && fileIndex <= this.resumePoint.index;
    if (isUnchanged && !this.#settings.recursive) this.#advance(index);
    this.#prove(this.#provenIndex);
    this.#onProgress();
  }

  /** Takes the state of the key by a linearizable read. Everything up to its index is contained in it. */
  takeState(resync: WatchResync, askedAt: number, newest: number): void {
    const { reason, index } = resync;
    // An earlier state of the cluster is a new beginning, whatever the reason for the read was.
    if (reason !== "cluster-changed") this.#takeReading(index, askedAt, newest);
    else this.#currency.note(index, askedAt);
    this.#newest = Math.max(this.#newest, index);
    this.#buffer.put(resync, this.currentAt);
    this.resumePoint.startAt(index + 1);
    this.#provenIndex = index;
    this.#currency.reach(index);
  }

  /** Forgets all indexes. */
  forget(): void {
    this.#newest = 0;
    this.#provenIndex = 0;
    this.#currency.forgetReadings();
    this.resumePoint.clear();
  }

  #takeReading(index: number, askedAt: number, newest: number): void {
    if (index < newest) throw new OtherCluster();
    this.#newest = Math.max(this.#newest, index);
    this.#currency.note(index, askedAt);
  }

  /** @returns whether the event was new */
  #take(event: EtcdResponse): boolean {
    if (this.#buffer.isFull) throw new BufferFull();
    if (!this.resumePoint.take(event)) return false;
    const { modifiedIndex } = event.node;
    this.#newest = Math.max(this.#newest, modifiedIndex);
    if (modifiedIndex !== this.#lastIndex) this.#currentBefore = this.currentAt;
    this.#lastIndex = modifiedIndex;
    if (matchesWatch(this.#settings, event)) {
      this.#buffer.put({ type: "change", response: event }, this.#currentBefore);
    }
    return true;
  }

  /** @returns whether anything was pending up to the index */
  #advance(index: number): boolean {
    if (!this.resumePoint.isPending(index)) return false;
    this.resumePoint.advance(index);
    this.#newest = Math.max(this.#newest, index);
    this.#prove(index);
    return true;
  }

  #prove(index: number): void {
    this.#provenIndex = Math.max(this.#provenIndex, index);
    // Without a resume point, even index 0 of a new cluster means nothing.
    if (this.resumePoint.since !== undefined) this.#currency.reach(this.#provenIndex);
  }
}
