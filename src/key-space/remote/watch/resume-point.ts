import type { ScanRequest } from "../../../model/key-request.js";
import type { EtcdResponse } from "../../../model/response.js";

/**
 * The index from which a watch continues. Every change before it was received or is part of a
 * resync. It advances only by proof: an event of a stream that started at or before it, the first
 * event or the proven index of a scan that started at or before it, or a linearizable read.
 */
export class ResumePoint {
  #since: number | undefined;
  /** Keys of the received events at index `since`. */
  readonly #taken = new Set<string>();

  /**
   * First index whose changes may be pending; `undefined`: the watch starts with the next change.
   */
  get since(): number | undefined {
    return this.#since;
  }

  /**
   * Whether some changes of index `since` were received. Only etcd v3 has several changes at one
   * index.
   */
  get isPartial(): boolean {
    return this.#taken.size > 0;
  }

  /** First index without a received change; 0 if the watch starts with the next change. */
  get next(): number {
    if (this.#since === undefined) return 0;
    return this.isPartial ? this.#since + 1 : this.#since;
  }

  /** Index up to which no change is pending, except other changes at the same index. */
  get index(): number {
    return Math.max(0, this.next - 1);
  }

  /** Restarts at an index: changes from it on are pending. */
  startAt(since: number): void {
    this.#since = since;
    this.#taken.clear();
  }

  /** Restarts with the next change. */
  clear(): void {
    this.#since = undefined;
    this.#taken.clear();
  }

  /** Starts at an index unless a resume point is set. */
  startAtFirst(since: number): void {
    if (this.#since === undefined) this.startAt(since);
  }

  /** Whether a change up to this index may still be pending. */
  isPending(index: number): boolean {
    return this.#since !== undefined && this.#since <= index;
  }

  /** Records an event. @returns whether it is new */
  take({ node: { key, modifiedIndex } }: Pick<EtcdResponse, "node">): boolean {
    const since = this.#since ?? 0;
    if (modifiedIndex < since || (modifiedIndex === since && this.#taken.has(key))) return false;
    if (modifiedIndex > since) this.startAt(modifiedIndex);
    this.#taken.add(key);
    return true;
  }

  /** Records that all changes up to this index were received. */
  advance(index: number): void {
    if (this.isPending(index)) this.startAt(index + 1);
  }

  /**
   * Whether the result of a scan continues from here without a gap. Returns `false` for a scan that
   * starts right after a partially received index, because more changes of that index may be
   * pending.
   */
  isFollowedBy({ since, partial = false }: Pick<ScanRequest, "since" | "partial">): boolean {
    return (partial ? since + 1 : since) <= this.next;
  }
}
