import type { ScanRequest } from "../model/key-request.js";
import type { EtcdResponse } from "../model/response.js";

/**
 * The index from which a watch goes on. Every change before it was taken, or is contained in a resync.
 * It moves only by proof: an event of a stream that began at or before it, the first event or the
 * proven index of a scan that began at or before it, or a linearizable read.
 */
export class ResumePoint {
  #since: number | undefined;
  /** Keys of the events at index `since` that were taken. */
  readonly #taken = new Set<string>();

  /** First index of which changes may be pending; `undefined`: whatever comes from now on. */
  get since(): number | undefined {
    return this.#since;
  }

  /** Whether some changes of index `since` were taken. Only etcd v3 knows several of one index. */
  get isPartial(): boolean {
    return this.#taken.size > 0;
  }

  /** First index of which nothing was taken; 0 for whatever comes from now on. */
  get next(): number {
    if (this.#since === undefined) return 0;
    return this.isPartial ? this.#since + 1 : this.#since;
  }

  /** Index of the last change that was taken, or up to which there is none. */
  get index(): number {
    return Math.max(0, this.next - 1);
  }

  /** Begins anew: changes from an index on are pending. */
  startAt(since: number): void {
    this.#since = since;
    this.#taken.clear();
  }

  /** Begins anew, with whatever comes from now on. */
  clear(): void {
    this.#since = undefined;
    this.#taken.clear();
  }

  /** Begins at an index if nothing was pending until now. */
  startAtFirst(since: number): void {
    if (this.#since === undefined) this.startAt(since);
  }

  /** Whether any change up to an index may still be pending. */
  isPending(index: number): boolean {
    return this.#since !== undefined && this.#since <= index;
  }

  /** Takes note of an event. @returns whether it is a new one */
  take({ node: { key, modifiedIndex } }: Pick<EtcdResponse, "node">): boolean {
    const since = this.#since ?? 0;
    if (modifiedIndex < since || (modifiedIndex === since && this.#taken.has(key))) return false;
    if (modifiedIndex > since) this.startAt(modifiedIndex);
    this.#taken.add(key);
    return true;
  }

  /** Takes note that all changes up to an index were taken. */
  advance(index: number): void {
    if (this.isPending(index)) this.startAt(index + 1);
  }

  /**
   * Whether what a scan has shown leads on from here, so that no index between is left out. A scan that
   * begins right after an index of which some changes were taken is refused if there are more of that
   * index.
   */
  isFollowedBy({ since, partial = false }: Pick<ScanRequest, "since" | "partial">): boolean {
    return (partial ? since + 1 : since) <= this.next;
  }
}
