import { ProtocolError } from "../../../errors/cluster-errors.js";
import type { KeyRange } from "../key-layout.js";
import type { V3Api, V3Call, V3Stream } from "../v3-api.js";
import type { V3Header } from "../v3-json.js";
import { type KeyChange, readWatchResponse, type WatchResponse } from "./watch-response.js";

/** All changes of one revision. */
export interface Revision {
  readonly number: number;
  readonly changes: readonly KeyChange[];
}

/** The history that a watch asked for is no longer held. */
export class Compacted extends Error {}

/** A watch of a range by etcd, as whole revisions in their order, for one reader. */
export class RevisionStream {
  /** What the watch began with. */
  readonly header: V3Header;
  readonly #stream: V3Stream;
  #partial: readonly KeyChange[] = [];

  private constructor(stream: V3Stream, header: V3Header) {
    this.#stream = stream;
    this.header = header;
  }

  /**
   * Opens a watch from a revision on, itself included.
   *
   * @throws Compacted, UnauthorizedError, ClusterUnavailableError, AbortError
   */
  static async open(
    api: V3Api,
    { key, range_end }: KeyRange,
    from: number,
    call: V3Call,
  ): Promise<RevisionStream> {
    const wishes = { prev_kv: true, fragment: true, progress_notify: true };
    const create_request = { key, range_end, start_revision: String(from), ...wishes };
    const stream = await api.stream("watch", { create_request }, call);
    try {
      const body = await stream.next();
      if (body === undefined) throw new ProtocolError(`${call.operation}: the watch ended at once`);
      const first = readWatchResponse(body);
      refuseCanceled(first, call);
      return new RevisionStream(stream, first.header);
    } catch (error) {
      stream.close();
      throw error;
    }
  }

  get endpoint(): string {
    return this.#stream.endpoint;
  }

  /**
   * The next revisions, none for mere proof that there were none until `upTo`; `undefined` when
   * the watch has ended.
   *
   * @throws Compacted, ClusterUnavailableError, AbortError, ProtocolError
   */
  async next(
    call: V3Call,
  ): Promise<{ readonly revisions: readonly Revision[]; readonly upTo: number } | undefined> {
    for (;;) {
      const body = await this.#stream.next();
      if (body === undefined) return undefined;
      const response = readWatchResponse(body);
      refuseCanceled(response, call);
      this.#partial = [...this.#partial, ...response.changes];
      if (response.fragment) continue;
      const revisions = byRevision(this.#partial);
      this.#partial = [];
      // The header of a message with events may be ahead of what it tells.
      return { revisions, upTo: revisions.at(-1)?.number ?? response.header.revision };
    }
  }

  close(): void {
    this.#stream.close();
  }
}

function refuseCanceled({ canceled, compactRevision }: WatchResponse, call: V3Call): void {
  if (compactRevision > 0) throw new Compacted();
  if (canceled !== undefined)
    throw new ProtocolError(`${call.operation}: etcd ended the watch: ${canceled}`);
}

function byRevision(changes: readonly KeyChange[]): readonly Revision[] {
  const revisions: { number: number; changes: KeyChange[] }[] = [];
  for (const change of changes) {
    const number = change.kv.modRevision;
    const last = revisions.at(-1);
    if (last?.number === number) last.changes.push(change);
    else revisions.push({ number, changes: [change] });
  }
  return revisions;
}
