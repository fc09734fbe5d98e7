import { ProtocolError } from "../../../errors/cluster-errors.js";
import type { KeyValue, ResponseHeader, WatchResponse } from "../../../etcd3/rpcs.js";
import type { KeyRange } from "../../../etcd3/transaction.js";
import { headerOf, type V3Api, type V3Call, type V3Stream } from "../../../etcd3/v3-api.js";

/** One change of one key. */
export interface KeyChange {
  /** The current key. For a delete, only its name and revision. */
  readonly kv: KeyValue;
  readonly deleted: boolean;
  /** The previous key. Absent if it did not exist or was compacted. */
  readonly prev: KeyValue | undefined;
}

/** All changes of one revision. */
export interface Revision {
  readonly number: number;
  readonly changes: readonly KeyChange[];
}

/** Revisions in order; together they are all changes up to `upTo`. */
export interface Revisions {
  readonly revisions: readonly Revision[];
  readonly upTo: number;
  /** Revision of the member when it made the message; `undefined` if further fragments of the message follow. */
  readonly storeRevision: number | undefined;
}

/** Options of a watch. */
export interface StreamStart {
  /** First revision. */
  readonly from: number;
  /**
   * Whether etcd splits large messages. This takes quadratic time for small events (seconds for
   * 15,000), so use it only for messages that are too large otherwise.
   */
  readonly inFragments?: boolean;
}

/** The requested history was compacted, or is more than this process can store. */
export class Compacted extends Error {
  /** Revision up to which etcd has compacted; 0: unknown. */
  readonly revision: number;

  constructor(revision = 0) {
    super("the requested history was compacted");
    this.revision = revision;
  }
}

/** Maximum number of bytes of keys and values of one revision. */
const MAX_BYTES = 96 * 1024 * 1024;

/** An etcd watch of a range, as complete revisions in order, for one reader. */
export class RevisionStream {
  /** Header of the first response. */
  readonly header: ResponseHeader;
  readonly #stream: V3Stream;
  /** Changes of the last received revision, which may be incomplete. */
  #partial: KeyChange[] = [];
  #bytes = 0;

  private constructor(stream: V3Stream, header: ResponseHeader) {
    this.#stream = stream;
    this.header = header;
  }

  /**
   * Opens a watch from a revision, inclusive.
   *
   * @throws Compacted, UnauthorizedError, ClusterUnavailableError, AbortError
   */
  static async open(
    api: V3Api,
    { key, range_end }: KeyRange,
    { from, inFragments = false }: StreamStart,
    call: V3Call,
  ): Promise<RevisionStream> {
    const options = { prev_kv: true, fragment: inFragments, progress_notify: true };
    const request = { key, range_end, start_revision: from, ...options };
    const stream = await api.watch(request, call);
    try {
      const first = await stream.next();
      if (first === undefined)
        throw new ProtocolError(
          `${call.operation}: the stream ended before etcd confirmed the watch`,
        );
      refuseCanceled(first, call);
      return new RevisionStream(stream, headerOf(first));
    } catch (error) {
      stream.close();
      throw error;
    }
  }

  /** Number of received bytes. */
  get received(): number {
    return this.#stream.received;
  }

  /**
   * Returns the next revisions; an empty list proves that there were none up to `upTo`; `undefined`
   * when the watch has ended.
   *
   * @throws Compacted, ClusterUnavailableError, AbortError, ProtocolError
   */
  async next(call: V3Call): Promise<Revisions | undefined> {
    for (;;) {
      const response = await this.#stream.next();
      if (response === undefined) return undefined;
      refuseCanceled(response, call);
      const revisions = this.#complete(response);
      if (response.fragment && revisions.length === 0) continue;
      // The header of a message with events may be ahead of the events.
      const { revision } = headerOf(response);
      const storeRevision = response.fragment ? undefined : revision;
      return { revisions, upTo: revisions.at(-1)?.number ?? revision, storeRevision };
    }
  }

  close(): void {
    this.#stream.close();
  }

  /** Returns the complete revisions. @throws Compacted for one that is too large */
  #complete({ events, fragment }: WatchResponse): readonly Revision[] {
    const changes = events.map(changeOf);
    const revisions = byRevision(this.#partial, changes);
    this.#partial = [];
    if (!fragment) return revisions;
    const last = revisions.pop();
    if (revisions.length > 0) this.#bytes = 0;
    this.#bytes += changes.reduce((sum, change) => sum + bytesOf(change), 0);
    if (this.#bytes > MAX_BYTES) throw new Compacted();
    this.#partial = last?.changes ?? [];
    return revisions;
  }
}

function refuseCanceled(response: WatchResponse, call: V3Call): void {
  if (response.compact_revision > 0) throw new Compacted(response.compact_revision);
  if (response.canceled)
    throw new ProtocolError(`${call.operation}: etcd ended the watch: ${response.cancel_reason}`);
}

function changeOf({ type, kv, prev_kv: prev }: WatchResponse["events"][number]): KeyChange {
  if (kv === undefined) throw new ProtocolError("an event of the watch has no key");
  return { kv, deleted: type === "DELETE", prev };
}

/** Adds changes to the incomplete revision and groups the rest. */
function byRevision(
  partial: KeyChange[],
  changes: readonly KeyChange[],
): { number: number; changes: KeyChange[] }[] {
  const [first] = partial;
  const revisions =
    first === undefined ? [] : [{ number: first.kv.mod_revision, changes: partial }];
  for (const change of changes) {
    const number = change.kv.mod_revision;
    const last = revisions.at(-1);
    if (last?.number === number) last.changes.push(change);
    else revisions.push({ number, changes: [change] });
  }
  return revisions;
}

function bytesOf({ kv, prev }: KeyChange): number {
  return kv.key.length + kv.value.length + (prev?.value.length ?? 0);
}
