import type { EtcdResponse } from "../../../model/response.js";
import { type FeedSink, OtherStoreError, QueueFullError } from "../../shared/feed.js";
import { Freshness } from "../../shared/freshness.js";
import { matchesWatch } from "../../shared/matches-watch.js";
import type { Resync, SubscribeRequest } from "../../subscription.js";
import { ResumePoint } from "./resume-point.js";
import type { Probe, Scan } from "./watch-requests.js";

/**
 * The progress of a watch. Each of its methods advances it by a proof. The silence of a connection
 * proves nothing.
 */
export class WatchProgress {
  readonly resumePoint = new ResumePoint();
  readonly #request: SubscribeRequest;
  readonly #sink: FeedSink;
  readonly #freshness = new Freshness();
  /** Index up to which no change is pending, including other changes of that index. */
  #provenIndex = 0;
  /** Greatest known index of the store. */
  #newest = 0;
  /**
   * Index of the last event, and how current the watch was before the first event of that index.
   */
  #lastIndex = 0;
  #currentBefore: number | undefined;

  constructor(request: SubscribeRequest, sink: FeedSink) {
    this.#request = request;
    this.#sink = sink;
    const { from } = request;
    if (typeof from !== "number") return;
    this.resumePoint.startAt(from);
    this.#newest = from - 1;
    this.#provenIndex = from - 1;
  }

  /** Monotonic time: all changes committed before it were put into the queue. */
  get currentAt(): number | undefined {
    return this.#freshness.provenAt;
  }

  /** Greatest known index of the store: a read that starts now must not return less. */
  get newest(): number {
    return this.#newest;
  }

  /** Records the index after which a connection starts. A new watch starts there too. */
  startAfter(index: number): void {
    this.resumePoint.startAtFirst(index + 1);
    this.#newest = Math.max(this.#newest, index);
  }

  /**
   * Takes an event of a stream or poll that started at or before the resume point; all its earlier
   * events were taken.
   *
   * @returns whether it was new
   */
  takeEvent(event: EtcdResponse): boolean {
    if (!this.#take(event)) return false;
    // etcd v2 has one event per index. A key space with several delivers them together.
    this.#prove(event.node.modifiedIndex);
    this.#sink.onProgress();
    return true;
  }

  /**
   * Takes a scan that started at or before the resume point.
   *
   * @returns whether it had a new event
   */
  takeScan({ events, provenIndex = 0 }: Scan): boolean {
    let isNew = false;
    for (const event of events) isNew = this.#take(event) || isNew;
    const isAdvanced = this.#advance(provenIndex);
    if (isNew || isAdvanced) this.#sink.onProgress();
    return isNew;
  }

  /**
   * Takes a linearizable read that was sent at `requestedAt`, when `newest` was as given. A file
   * whose index is not after the resume point was unchanged up to the read.
   */
  takeProbe({ index, fileIndex }: Probe, requestedAt: number, newest: number): void {
    this.#takeRead(index, requestedAt, newest);
    const isUnchanged = fileIndex !== undefined && fileIndex <= this.resumePoint.index;
    if (isUnchanged && !this.#request.recursive) this.#advance(index);
    this.#prove(this.#provenIndex);
    this.#sink.onProgress();
  }

  /**
   * Takes the state of the key from a linearizable read. It contains every change up to its index.
   */
  takeState(resync: Resync, requestedAt: number, newest: number): void {
    const { reason, index } = resync;
    // After a change of cluster, a smaller index is valid.
    if (reason !== "cluster-changed") this.#takeRead(index, requestedAt, newest);
    else this.#freshness.recordRead(index, requestedAt);
    this.#newest = Math.max(this.#newest, index);
    this.#sink.putResync(resync, { index: this.resumePoint.index, currentAt: this.currentAt });
    this.resumePoint.startAt(index + 1);
    this.#provenIndex = index;
    this.#freshness.advanceTo(index);
  }

  forget(): void {
    this.#newest = 0;
    this.#provenIndex = 0;
    this.#freshness.forgetReads();
    this.resumePoint.clear();
  }

  #takeRead(index: number, requestedAt: number, newest: number): void {
    if (index < newest) throw new OtherStoreError();
    this.#newest = Math.max(this.#newest, index);
    this.#freshness.recordRead(index, requestedAt);
  }

  /** @returns whether the event was new */
  #take(event: EtcdResponse): boolean {
    if (this.#sink.isFull) throw new QueueFullError();
    if (!this.resumePoint.take(event)) return false;
    const { modifiedIndex } = event.node;
    this.#newest = Math.max(this.#newest, modifiedIndex);
    if (modifiedIndex !== this.#lastIndex) this.#currentBefore = this.currentAt;
    this.#lastIndex = modifiedIndex;
    if (matchesWatch(this.#request, event)) {
      const before = { index: modifiedIndex - 1, currentAt: this.#currentBefore };
      this.#sink.putChanges([event], before);
    }
    return true;
  }

  /** @returns whether a change up to the index was pending */
  #advance(index: number): boolean {
    if (!this.resumePoint.isPending(index)) return false;
    this.resumePoint.advance(index);
    this.#newest = Math.max(this.#newest, index);
    this.#prove(index);
    return true;
  }

  #prove(index: number): void {
    this.#provenIndex = Math.max(this.#provenIndex, index);
    // Without a resume point, even index 0 of a new cluster proves nothing.
    if (this.resumePoint.since !== undefined) this.#freshness.advanceTo(this.#provenIndex);
  }
}
