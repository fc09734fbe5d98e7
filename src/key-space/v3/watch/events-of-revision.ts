import { NO_LEASE } from "../../../etcd3/transaction.js";
import type { KeyValue } from "../../../etcd3/transaction-answer.js";
import type { KeyChange } from "../../../etcd3/watch-response.js";
import type { EtcdNode } from "../../../model/node.js";
import type { StoreEvent } from "../../shared/store-event.js";
import { type ActionRecord, decodeActionRecord } from "../schema/action-record.js";
import type { KeySchema } from "../schema/key-schema.js";
import { type NodeView, showDirectory, showFile } from "../schema/node-view.js";
import { ancestorsOf } from "../schema/path-snapshot.js";
import type { Revision } from "./revision-stream.js";

/** How the changes of one revision read in v2. */
export interface EventView extends NodeView {
  /** Whether a lease has run out, which tells an expiry from a delete. */
  readonly ranOut: (lease: string) => boolean;
}

/** A change of a file or of a marker, by its path in v2. */
interface PathChange extends KeyChange {
  readonly path: string;
}

/** What a revision changed, sorted by what it means. */
interface Sorted {
  readonly record: ActionRecord | undefined;
  readonly files: readonly PathChange[];
  readonly markers: readonly PathChange[];
}

/**
 * The events of v2 that a revision stands for. One of this library's own writes is the one event
 * that its action record tells of; what others wrote is taken key by key.
 */
export function eventsOf(
  revision: Revision,
  schema: KeySchema,
  view: EventView,
): readonly StoreEvent[] {
  const sorted = sort(revision.changes, schema);
  const index = revision.number + view.offset;
  if (sorted.record === undefined) return foreignEvents(sorted, index, view);
  if (sorted.record.silent) return [];
  const event = recordedEvent(sorted.record, sorted, index, view);
  return event === undefined ? [] : [event];
}

function sort(changes: readonly KeyChange[], schema: KeySchema): Sorted {
  let record: ActionRecord | undefined;
  const files: PathChange[] = [];
  const markers: PathChange[] = [];
  for (const change of changes) {
    const { kind, path = "" } = schema.decode(change.kv.key) ?? {};
    if (kind === "action" && !change.deleted) record = decodeActionRecord(change.kv.value);
    if (kind === "file") files.push({ ...change, path });
    if (kind === "marker") markers.push({ ...change, path });
  }
  return { record, files, markers };
}

function recordedEvent(
  record: ActionRecord,
  { files, markers }: Sorted,
  index: number,
  view: EventView,
): StoreEvent | undefined {
  const { action, key } = record;
  const file = files.find(({ path }) => path === key);
  const marker = markers.find(({ path }) => path === key);
  if (action === "delete" || action === "compareAndDelete" || action === "expire") {
    const gone = [...files, ...markers].filter(({ deleted }) => deleted);
    const prevNode = record.dir ? directoryBefore(key, marker, files, view) : before(file, view);
    return removal(action, key, record.dir, prevNode, gone, index);
  }
  const node = record.dir ? directoryNow(marker, action, index, view) : now(file, view);
  if (node === undefined) return undefined;
  const prevNode = before(file, view) ?? directoryBefore(key, marker, [], view);
  return { action, node, ...(prevNode && { prevNode }) };
}

function foreignEvents(
  { files, markers }: Sorted,
  index: number,
  view: EventView,
): readonly StoreEvent[] {
  const gone = [...files, ...markers].filter(({ deleted }) => deleted);
  const removedMarkers = markers.filter(({ deleted }) => deleted);
  const paths = new Set(removedMarkers.map(({ path }) => path));
  const isOutside = ({ path }: PathChange): boolean =>
    !ancestorsOf(path).some((at) => paths.has(at));
  const topmost = removedMarkers.filter(isOutside);
  const left = files.filter(isOutside);
  return [
    ...topmost.map((marker) => {
      const prevNode = directoryBefore(marker.path, marker, [], view);
      // Where history does not tell what the marker was: directories are seldom removed by hand.
      const action = marker.prev === undefined ? "expire" : endOf(marker, view);
      return removal(action, marker.path, true, prevNode, gone, index);
    }),
    ...left.flatMap((file) => foreignEvent(file, index, view)),
  ];
}

function foreignEvent(file: PathChange, index: number, view: EventView): readonly StoreEvent[] {
  const prevNode = before(file, view);
  if (file.deleted) {
    return [removal(endOf(file, view), file.path, false, prevNode, [], index)];
  }
  const node = now(file, view);
  return node === undefined ? [] : [{ action: "set", node, ...(prevNode && { prevNode }) }];
}

/** How a node ended that no action record tells of. Without a lease it cannot have expired. */
function endOf({ prev }: PathChange, view: EventView): "expire" | "delete" {
  return view.ranOut(prev?.lease ?? NO_LEASE) ? "expire" : "delete";
}

/** A removal is told without what the node held. */
function removal(
  action: StoreEvent["action"],
  key: string,
  dir: boolean,
  shown: EtcdNode | undefined,
  gone: readonly PathChange[],
  index: number,
): StoreEvent {
  const prevNode = action === "expire" ? withoutTtl(shown) : shown;
  const createdIndex = prevNode?.createdIndex ?? index;
  const removed = dir ? pathsBelow(key, gone) : [];
  return {
    action,
    node: { key, ...(dir && { dir }), modifiedIndex: index, createdIndex },
    ...(prevNode && { prevNode }),
    ...(removed.length > 0 && { removed }),
  };
}

/** A lease may end seconds late: etcd v2, which is hardly ever late by one, tells no time left. */
function withoutTtl(node: EtcdNode | undefined): EtcdNode | undefined {
  if (node === undefined) return undefined;
  const { ttl: _, ...rest } = node;
  return rest;
}

/** Everything that went with a directory, the directories without a marker included. */
function pathsBelow(directory: string, gone: readonly PathChange[]): readonly string[] {
  const paths = new Set<string>();
  for (let { path } of gone) {
    for (
      ;
      isBelow(path, directory) && !paths.has(path);
      path = path.slice(0, path.lastIndexOf("/"))
    ) {
      paths.add(path);
    }
  }
  return [...paths];
}

function isBelow(path: string, directory: string): boolean {
  return path.startsWith(`${directory}/`);
}

function now(file: PathChange | undefined, view: NodeView): EtcdNode | undefined {
  return file === undefined || file.deleted ? undefined : showFile(file.path, file.kv, view);
}

function before(file: PathChange | undefined, view: NodeView): EtcdNode | undefined {
  return file?.prev && showFile(file.path, file.prev, view);
}

/** v2 tells the index of a change to a directory, but does not keep it. */
function directoryNow(
  marker: PathChange | undefined,
  action: StoreEvent["action"],
  index: number,
  view: NodeView,
): EtcdNode | undefined {
  if (marker === undefined || marker.deleted) return undefined;
  const node = showDirectory(marker.path, marker.kv, true, view);
  return action === "update" ? { ...node, modifiedIndex: index } : node;
}

/** A directory as it was: by its marker or, where it had none, by the first key below it. */
function directoryBefore(
  path: string,
  marker: PathChange | undefined,
  files: readonly PathChange[],
  view: NodeView,
): EtcdNode | undefined {
  if (marker?.prev !== undefined) return showDirectory(path, marker.prev, true, view);
  const first = firstBelow(path, files);
  return first && showDirectory(path, first, false, view);
}

/** etcd tells the deletes of one range in the order of the keys' bytes. */
function firstBelow(directory: string, files: readonly PathChange[]): KeyValue | undefined {
  return files.find(({ path, deleted }) => deleted && isBelow(path, directory))?.prev;
}
