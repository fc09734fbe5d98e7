import { type KeyValue, RPC } from "../../../etcd3/rpcs.js";
import { type KeyRange, type Read, read, readPage } from "../../../etcd3/transaction.js";
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
import { changesOf, type Span } from "./key-changes.js";
import { type PathRevision, pastChangeOf } from "./past-change.js";

/** The state of a path at one revision. */
export interface PathKeys {
  readonly file: KeyValue | undefined;
  readonly marker: KeyValue | undefined;
}

/** What is known when a history is opened. */
export interface OpenedHistory {
  readonly path: string;
  readonly span: Span;
  readonly offset: number;
  /** The state at the last compacted revision. */
  readonly before: PathKeys;
  /** The state at the end of the span. */
  readonly now: PathKeys;
}

/** The changes of the two keys of a path in one revision. */
type KeyChanges = Omit<PathRevision, "path" | "record">;

/** Changes that are translated together, and the bytes of their values at which fewer are. */
const MAX_CHANGES_TOGETHER = 64;
const MAX_BYTES_TOGETHER = 1024 * 1024;
/** Keys after a path among which one that has changed is searched. */
const MAX_NEIGHBOURS = 1_000;

/** The history of a path, read from the changes of its file and of its marker. */
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
    const { path, span, offset, before } = opened;
    this.#tree = tree;
    this.#opened = opened;
    this.#call = call;
    this.#errorOf = errorOf;
    this.isComplete = span.after === 0;
    this.firstIndex = span.after + 1 + offset;
    this.lastIndex = span.upTo + offset;
    const view = { ...tree.view(offset), isPast: true };
    const { file, marker } = before;
    if (file !== undefined) this.initial = showFile(path, file, view);
    else if (marker !== undefined) this.initial = showDirectory(path, marker, true, view);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<PastChange, undefined, undefined> {
    try {
      let some: KeyChanges[] = [];
      let bytes = 0;
      for await (const changes of this.#revisions()) {
        some.push(changes);
        bytes += bytesOf(changes.file);
        if (some.length < MAX_CHANGES_TOGETHER && bytes < MAX_BYTES_TOGETHER) continue;
        yield* await this.#translate(some);
        [some, bytes] = [[], 0];
      }
      yield* await this.#translate(some);
    } catch (error) {
      throw this.#errorOf(error);
    }
    return undefined;
  }

  /** The changes of both keys by revision. */
  async *#revisions(): AsyncGenerator<KeyChanges, void, undefined> {
    const { path, before, now } = this.#opened;
    const { schema } = this.#tree;
    const files = this.#changesOf(schema.file(path), before.file, now.file);
    const markers = this.#changesOf(schema.marker(path), before.marker, now.marker);
    try {
      let [file, marker] = [await nextOf(files), await nextOf(markers)];
      while (file !== undefined || marker !== undefined) {
        const revision = Math.min(revisionOf(file), revisionOf(marker));
        const [ofFile, ofMarker] = [revisionOf(file) === revision, revisionOf(marker) === revision];
        yield { revision, file: ofFile ? file : undefined, marker: ofMarker ? marker : undefined };
        if (ofFile) file = await nextOf(files);
        if (ofMarker) marker = await nextOf(markers);
      }
    } finally {
      await Promise.all([files.return(undefined), markers.return(undefined)]);
    }
  }

  #changesOf(
    key: string,
    before: KeyValue | undefined,
    now: KeyValue | undefined,
  ): AsyncGenerator<KeyChange, undefined, undefined> {
    const { api, clock } = this.#tree;
    const changingRange = (): Promise<KeyRange> => this.#changingRange(key);
    const traced = { key, before, now, changingRange };
    return changesOf(api, traced, this.#opened.span, clock, this.#call);
  }

  /**
   * A small range with the key in which something has changed in the span: up to the next such key below
   * it or beside it, or beside a directory above it. Otherwise, the range between it and a record that
   * every write changes.
   */
  async #changingRange(key: string): Promise<KeyRange> {
    const { span } = this.#opened;
    const { schema } = this.#tree;
    const { upTo: revision } = span;
    for (const range_end of endsAfter(key, this.#opened.path)) {
      const page = readPage({ key, range_end }, MAX_NEIGHBOURS, { keys_only: true, revision });
      const kvs = await this.#kvsOf(page);
      const changed = kvs.find((kv) => kv.mod_revision > span.after);
      if (changed !== undefined) return { key, range_end: keyAfter(changed.key) };
      if (kvs.length === MAX_NEIGHBOURS) break;
    }
    const [record] = await this.#kvsOf(read(schema.action, { keys_only: true, revision }));
    if (record !== undefined && record.mod_revision > span.after) {
      return rangeOver(Buffer.from(key), record.key);
    }
    const put: V3Call = { ...this.#call, operation: "PUT heartbeat", safety: "write" };
    await this.#tree.api.call(RPC.put, { key: schema.heartbeat }, put);
    return rangeOver(Buffer.from(key), Buffer.from(schema.heartbeat));
  }

  async #kvsOf(operation: Read): Promise<readonly KeyValue[]> {
    const { results } = await this.#tree.read([operation], this.#call);
    return results[0]?.kvs ?? [];
  }

  async #translate(some: readonly KeyChanges[]): Promise<readonly PastChange[]> {
    const { path, offset } = this.#opened;
    const { api, schema, clock } = this.#tree;
    const records = await this.#recordsAt(some.map(({ revision }) => revision));
    const revisions = some.map(({ revision, file, marker }, at): Revision => {
      const record = records[at];
      const changes = [file, marker, record && { kv: record, deleted: false, prev: undefined }];
      return { number: revision, changes: changes.filter((change) => change !== undefined) };
    });
    const leases = await leaseStatusOf(api, revisions, schema, clock, this.#call);
    const view = { ...this.#tree.view(offset), ...leases, isPast: true };
    return some.map((changes, at) => {
      const record = recordIn(records[at]);
      return pastChangeOf({ path, ...changes, record }, view);
    });
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

async function nextOf(changes: AsyncIterator<KeyChange>): Promise<KeyChange | undefined> {
  const next = await changes.next();
  return next.done === true ? undefined : next.value;
}

function revisionOf(change: KeyChange | undefined): number {
  return change ? change.kv.mod_revision : Number.POSITIVE_INFINITY;
}

function bytesOf(change: KeyChange | undefined): number {
  return change === undefined ? 0 : change.kv.value.length + (change.prev?.value.length ?? 0);
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

/** The smallest range with both keys. */
function rangeOver(key: Buffer, other: Buffer): KeyRange {
  const [first, last] = Buffer.compare(key, other) < 0 ? [key, other] : [other, key];
  return { key: first, range_end: keyAfter(last) };
}
