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

/** Revisions in their order; every change up to `upTo` was delivered with them. */
export interface Revisions {
  readonly revisions: readonly Revision[];
  readonly upTo: number;
}

/** How a watch is opened. */
export interface StreamStart {
  /** First revision. */
  readonly from: number;
  /**
   * Whether etcd divides large messages. etcd needs quadratic time for that where the events are
   * small (seconds for 15,000 of them), so this is only for messages that are too large otherwise.
   */
  readonly inFragments?: boolean;
}

/** The history that a watch asked for is no longer held, or more than this process can hold. */
export class Compacted extends Error {}

/** Characters of keys and values, in base64, that may be held of one revision. */
const MOST_CHARACTERS = 128 * 1024 * 1024;

/** A watch of a range by etcd, as whole revisions in their order, for one reader. */
export class RevisionStream {
  /** What the watch began with. */
  readonly header: V3Header;
  readonly #stream: V3Stream;
  /** Changes of the last revision that came, of which there may be more. */
  #partial: KeyChange[] = [];
  #characters = 0;

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
    { from, inFragments = false }: StreamStart,
    call: V3Call,
  ): Promise<RevisionStream> {
    const wishes = { prev_kv: true, fragment: inFragments, progress_notify: true };
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

  /** Bytes that have come. */
  get received(): number {
    return this.#stream.received;
  }

  /**
   * The next revisions, none for mere proof that there were none until `upTo`; `undefined` when
   * the watch has ended.
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
      // The header of a message with events may be ahead of what it delivers.
      return { revisions, upTo: revisions.at(-1)?.number ?? response.header.revision };
    }
  }

  close(): void {
    this.#stream.close();
  }

  /** The revisions of which nothing more will come. @throws Compacted for one that is too large */
  #complete({ changes, fragment }: WatchResponse): readonly Revision[] {
    const revisions = byRevision(this.#partial, changes);
    this.#partial = [];
    if (!fragment) return revisions;
    const last = revisions.pop();
    if (revisions.length > 0) this.#characters = 0;
    this.#characters += changes.reduce((sum, change) => sum + charactersOf(change), 0);
    if (this.#characters > MOST_CHARACTERS) throw new Compacted();
    this.#partial = last?.changes ?? [];
    return revisions;
  }
}

function refuseCanceled({ canceled, compactRevision }: WatchResponse, call: V3Call): void {
  if (compactRevision > 0) throw new Compacted();
  if (canceled !== undefined)
    throw new ProtocolError(`${call.operation}: etcd ended the watch: ${canceled}`);
}

/** Continues the revision of which some changes came before. */
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
