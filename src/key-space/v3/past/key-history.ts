import { type KeyValue, RPC } from "../../../etcd3/rpcs.js";
import {
  type Bytes,
  type KeyRange,
  type Read,
  read,
  readPage,
} from "../../../etcd3/transaction.js";
import type { V3Call } from "../../../etcd3/v3-api.js";
import type { EtcdNode } from "../../../model/node.js";
import type { KeyHistory, PastChange } from "../../past.js";
import { keyAfter } from "../read/page-reader.js";
import { type ActionRecord, decodeActionRecord } from "../schema/action-record.js";
import { showDirectory, showFile } from "../schema/node-view.js";
import { ancestorsOf } from "../schema/path-snapshot.js";
import type { V3Tree } from "../schema/v3-tree.js";
import { leaseStatusOf } from "../watch/lease-status.js";
import type { KeyChange, Revision } from "../watch/revision-stream.js";
import { changesOf, type Span, type TracedKeys } from "./key-changes.js";
import { type PathRevision, pastChangeOf } from "./past-change.js";

/** The state of a path at one revision. */
export interface PathKeys {
  readonly file: KeyValue | undefined;
  readonly marker: KeyValue | undefined;
}

/** What is known when a history is opened. */
export interface OpenedHistory {
  readonly path: string;
  /** Whether the history includes everything below the path, except hidden nodes. */
  readonly recursive: boolean;
  readonly span: Span;
  readonly offset: number;
  /** The state at the last compacted revision. */
  readonly before: PathKeys;
  /** The state at the end of the span. */
  readonly now: PathKeys;
}

/** A range that starts at the key of a path. */
interface TextRange {
  readonly key: string;
  readonly range_end: Bytes;
}

/** The changes of the keys of a path in one revision. */
type ChangedPath = Omit<PathRevision, "revision" | "record">;

/** Changes that are translated together, and the bytes of their values at which fewer are. */
const MAX_CHANGES_TOGETHER = 64;
const MAX_BYTES_TOGETHER = 1024 * 1024;
/** Keys after a path among which one that has changed is searched. */
const MAX_NEIGHBOURS = 1_000;

/** The history of a path or a tree, read from the changes of its files and of its markers. */
export class V3KeyHistory implements KeyHistory {
  readonly isComplete: boolean;
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly initial?: EtcdNode | undefined;
  readonly #tree: V3Tree;
  readonly #opened: OpenedHistory;
  readonly #call: V3Call;
  /** @param errorOf makes the error of a failure while changes are read */
  readonly #errorOf: (error: unknown) => unknown;

  constructor(
    tree: V3Tree,
    opened: OpenedHistory,
    call: V3Call,
    errorOf: (error: unknown) => unknown,
  ) {
    const { path, recursive, span, offset, before } = opened;
    this.#tree = tree;
    this.#opened = opened;
    this.#call = call;
    this.#errorOf = errorOf;
    this.isComplete = span.after === 0;
    this.firstIndex = span.after + 1 + offset;
    this.lastIndex = span.upTo + offset;
    if (recursive) return;
    const view = { ...tree.view(offset), isPast: true };
    const { file, marker } = before;
    if (file !== undefined) this.initial = showFile(path, file, view);
    else if (marker !== undefined) this.initial = showDirectory(path, marker, true, view);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<PastChange, undefined, undefined> {
    try {
      let some: Revision[] = [];
      let [changes, bytes] = [0, 0];
      for await (const revision of this.#revisions()) {
        some.push(revision);
        changes += revision.changes.length;
        bytes += revision.changes.reduce((sum, change) => sum + bytesOf(change), 0);
        if (changes < MAX_CHANGES_TOGETHER && bytes < MAX_BYTES_TOGETHER) continue;
        yield* await this.#translate(some);
        [some, changes, bytes] = [[], 0, 0];
      }
      yield* await this.#translate(some);
    } catch (error) {
      throw this.#errorOf(error);
    }
    return undefined;
  }

  /** The changes of files and markers by revision. */
  async *#revisions(): AsyncGenerator<Revision, void, undefined> {
    const files = this.#changesOf("file");
    const markers = this.#changesOf("marker");
    try {
      let [ofFiles, ofMarkers] = [await nextOf(files), await nextOf(markers)];
      while (ofFiles !== undefined || ofMarkers !== undefined) {
        const number = Math.min(numberOf(ofFiles), numberOf(ofMarkers));
        const [hasFiles, hasMarkers] = [
          numberOf(ofFiles) === number,
          numberOf(ofMarkers) === number,
        ];
        const [some, others] = [hasFiles && ofFiles?.changes, hasMarkers && ofMarkers?.changes];
        yield { number, changes: [...(some || []), ...(others || [])] };
        if (hasFiles) ofFiles = await nextOf(files);
        if (hasMarkers) ofMarkers = await nextOf(markers);
      }
    } finally {
      await Promise.all([files.return(undefined), markers.return(undefined)]);
    }
  }

  #changesOf(kind: "file" | "marker"): AsyncGenerator<Revision, undefined, undefined> {
    const { api, clock } = this.#tree;
    const { recursive, span } = this.#opened;
    const traced = recursive ? this.#keysBelow(kind) : this.#ownKey(kind);
    return changesOf(api, traced, span, clock, this.#call);
  }

  /** The file or the marker of the path. */
  #ownKey(kind: "file" | "marker"): TracedKeys {
    const { path, span, before, now } = this.#opened;
    const key = this.#tree.schema[kind](path);
    const bytes = Buffer.from(key);
    const range = { key, range_end: keyAfter(bytes) };
    const isKnown = before[kind] !== undefined || now[kind] !== undefined;
    return {
      range,
      includes: (each) => each.equals(bytes),
      changingRange: async () => (isKnown ? range : await this.#neighbourhood(range)),
      isNarrow: true,
      last: now[kind]?.mod_revision ?? span.upTo,
    };
  }

  /** The files or the markers of the path and of everything below it. */
  #keysBelow(kind: "file" | "marker"): TracedKeys {
    const { path, span } = this.#opened;
    const { schema } = this.#tree;
    const prefix = kind === "file" ? schema.filePrefix : schema.markerPrefix;
    const key = `${prefix}${path || "/"}`;
    const range = { key, range_end: `${prefix}${path}0` };
    return {
      range,
      includes: (each) => {
        const decoded = schema.decode(each);
        return decoded?.kind === kind && isVisibleFrom(path, decoded.path);
      },
      changingRange: async () =>
        (await this.#hasChanged(range)) ? range : await this.#neighbourhood(range),
      isNarrow: false,
      last: span.upTo,
    };
  }

  /** Whether a change in a range is known: of a key that exists now, or of one that no longer does. */
  async #hasChanged({ key, range_end }: KeyRange): Promise<boolean> {
    const { after, upTo } = this.#opened.span;
    const countAt = async (revision: number): Promise<number> => {
      const request = { key, range_end, revision, limit: 1, keys_only: true };
      return (await this.#tree.api.call(RPC.range, request, this.#call)).message.count;
    };
    const count = await countAt(upTo);
    if (count !== (after === 0 ? 0 : await countAt(after))) return true;
    for (let start: Bytes = key, left = count; left > 0; ) {
      const rest = { key: start, range_end };
      const page = readPage(rest, MAX_NEIGHBOURS, { keys_only: true, revision: upTo });
      const kvs = await this.#kvsOf(page);
      if (kvs.some((kv) => kv.mod_revision > after)) return true;
      const last = kvs.at(-1);
      if (last === undefined) return false;
      start = keyAfter(last.key);
      left -= kvs.length;
    }
    return false;
  }

  /**
   * A small range with another one in which something has changed in the span: up to the next such key below
   * its start or beside it, or beside a directory above it. Otherwise, the range between it and a record that
   * every write changes.
   */
  async #neighbourhood(range: TextRange): Promise<KeyRange> {
    const { key } = range;
    const { span } = this.#opened;
    const { schema } = this.#tree;
    const { upTo: revision } = span;
    for (const range_end of endsAfter(key, this.#opened.path)) {
      const page = readPage({ key, range_end }, MAX_NEIGHBOURS, { keys_only: true, revision });
      const kvs = await this.#kvsOf(page);
      const changed = kvs.find((kv) => kv.mod_revision > span.after);
      if (changed !== undefined) return rangeOver(range, changed.key);
      if (kvs.length === MAX_NEIGHBOURS) break;
    }
    const [record] = await this.#kvsOf(read(schema.action, { keys_only: true, revision }));
    if (record !== undefined && record.mod_revision > span.after) {
      return rangeOver(range, record.key);
    }
    const put: V3Call = { ...this.#call, operation: "PUT heartbeat", safety: "write" };
    await this.#tree.api.call(RPC.put, { key: schema.heartbeat }, put);
    return rangeOver(range, Buffer.from(schema.heartbeat));
  }

  async #kvsOf(operation: Read): Promise<readonly KeyValue[]> {
    const { results } = await this.#tree.read([operation], this.#call);
    return results[0]?.kvs ?? [];
  }

  async #translate(some: readonly Revision[]): Promise<readonly PastChange[]> {
    const { offset } = this.#opened;
    const { api, schema, clock } = this.#tree;
    const records = await this.#recordsAt(some.map(({ number }) => number));
    const recorded = some.map(({ number, changes }, at): Revision => {
      const record = records[at];
      const own = record === undefined ? [] : [{ kv: record, deleted: false, prev: undefined }];
      return { number, changes: [...changes, ...own] };
    });
    const leases = await leaseStatusOf(api, recorded, schema, clock, this.#call);
    const view = { ...this.#tree.view(offset), ...leases, isPast: true };
    return some.flatMap(({ number: revision, changes }, at) => {
      const record = recordIn(records[at]);
      return this.#byPath(changes).map((keys) => pastChangeOf({ ...keys, revision, record }, view));
    });
  }

  /** The changes of one revision, a directory before what is in it. */
  #byPath(changes: readonly KeyChange[]): readonly ChangedPath[] {
    const paths = new Map<string, ChangedPath>();
    for (const change of changes) {
      const { kind, path = "" } = this.#tree.schema.decode(change.kv.key) ?? {};
      const others = paths.get(path) ?? { path, file: undefined, marker: undefined };
      paths.set(path, { ...others, [kind === "marker" ? "marker" : "file"]: change });
    }
    return [...paths.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** The action records that were written in these revisions. */
  async #recordsAt(revisions: readonly number[]): Promise<readonly (KeyValue | undefined)[]> {
    if (revisions.length === 0) return [];
    const { action } = this.#tree.schema;
    const reads = revisions.map((revision) => read(action, { revision }));
    const { results } = await this.#tree.read(reads, this.#call);
    return results.map(({ kvs: [record] }, at) =>
      record?.mod_revision === revisions[at] ? record : undefined,
    );
  }
}

function recordIn(record: KeyValue | undefined): ActionRecord | undefined {
  return record && decodeActionRecord(record.value);
}

async function nextOf(revisions: AsyncIterator<Revision>): Promise<Revision | undefined> {
  const next = await revisions.next();
  return next.done === true ? undefined : next.value;
}

function numberOf(revision: Revision | undefined): number {
  return revision?.number ?? Number.POSITIVE_INFINITY;
}

function bytesOf({ kv, prev }: KeyChange): number {
  return kv.value.length + (prev?.value.length ?? 0);
}

/** Whether a path is another one or below it, and not hidden there. */
function isVisibleFrom(directory: string, path: string): boolean {
  if (path === directory) return true;
  return path.startsWith(`${directory}/`) && !path.slice(directory.length).includes("/_");
}

/**
 * The ends of the ranges from the key of a path: with what is below the path, with the rest of its directory,
 * and so on. `0` is the character after `/`.
 */
function endsAfter(key: string, path: string): readonly string[] {
  const prefix = key.slice(0, key.length - path.length);
  const directories = ancestorsOf(path).toReversed();
  return [path, ...directories, ""].map((directory) => `${prefix}${directory}0`);
}

/** The smallest range with another one and a key. */
function rangeOver({ key, range_end }: TextRange, other: Buffer): KeyRange {
  const [start, end] = [Buffer.from(key), Buffer.from(range_end)];
  const [first] = [start, other].sort(Buffer.compare);
  const [, last] = [end, keyAfter(other)].sort(Buffer.compare);
  return { key: first ?? start, range_end: last ?? end };
}
