import { ProtocolError } from "../../../errors/cluster-errors.js";
import type { KeyRange } from "../../../etcd3/transaction.js";
import type { V3Api, V3Call, V3Stream } from "../../../etcd3/v3-api.js";
import type { V3Header } from "../../../etcd3/v3-json.js";
import {
  type KeyChange,
  readWatchResponse,
  type WatchResponse,
} from "../../../etcd3/watch-response.js";

/** All changes of one revision. */
export interface Revision {
  readonly number: number;
  readonly changes: readonly KeyChange[];
}

/** Revisions in order; together they are all changes up to `upTo`. */
export interface Revisions {
  readonly revisions: readonly Revision[];
  readonly upTo: number;
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
export class Compacted extends Error {}

/** Maximum number of characters of keys and values, in base64, of one revision. */
const MAX_CHARACTERS = 128 * 1024 * 1024;

/** An etcd watch of a range, as complete revisions in order, for one reader. */
export class RevisionStream {
  /** Header of the first response. */
  readonly header: V3Header;
  readonly #stream: V3Stream;
  /** Changes of the last received revision, which may be incomplete. */
  #partial: KeyChange[] = [];
  #characters = 0;

  private constructor(stream: V3Stream, header: V3Header) {
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
    const create_request = { key, range_end, start_revision: String(from), ...options };
    const stream = await api.stream("watch", { create_request }, call);
    try {
      const body = await stream.next();
      if (body === undefined)
        throw new ProtocolError(
          `${call.operation}: the stream ended before etcd confirmed the watch`,
        );
      const first = readWatchResponse(body);
      refuseCanceled(first, call);
      return new RevisionStream(stream, first.header);
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
      const body = await this.#stream.next();
      if (body === undefined) return undefined;
      const response = readWatchResponse(body);
      refuseCanceled(response, call);
      const revisions = this.#complete(response);
      if (response.fragment && revisions.length === 0) continue;
      // The header of a message with events may be ahead of the events.
      return { revisions, upTo: revisions.at(-1)?.number ?? response.header.revision };
    }
  }

  close(): void {
    this.#stream.close();
  }

  /** Returns the complete revisions. @throws Compacted for one that is too large */
  #complete({ changes, fragment }: WatchResponse): readonly Revision[] {
    const revisions = byRevision(this.#partial, changes);
    this.#partial = [];
    if (!fragment) return revisions;
    const last = revisions.pop();
    if (revisions.length > 0) this.#characters = 0;
    this.#characters += changes.reduce((sum, change) => sum + charactersOf(change), 0);
    if (this.#characters > MAX_CHARACTERS) throw new Compacted();
    this.#partial = last?.changes ?? [];
    return revisions;
  }
}

function refuseCanceled({ canceled, compactRevision }: WatchResponse, call: V3Call): void {
  if (compactRevision > 0) throw new Compacted();
  if (canceled !== undefined)
    throw new ProtocolError(`${call.operation}: etcd ended the watch: ${canceled}`);
}

/** Adds changes to the incomplete revision and groups the rest. */
function byRevision(
  partial: KeyChange[],
  changes: readonly KeyChange[],
): { number: number; changes: KeyChange[] }[] {
  const [first] = partial;
  const revisions = first === undefined ? [] : [{ number: first.kv.modRevision, changes: partial }];
  for (const change of changes) {
    const number = change.kv.modRevision;
    const last = revisions.at(-1);
    if (last?.number === number) last.changes.push(change);
    else revisions.push({ number, changes: [change] });
  }
  return revisions;
}

function charactersOf({ kv, prev }: KeyChange): number {
  return kv.key.length + kv.value.length + (prev?.value.length ?? 0);
}
