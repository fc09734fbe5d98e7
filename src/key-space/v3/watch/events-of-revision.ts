import type { KeyValue } from "../../../etcd3/rpcs.js";
import { NO_LEASE } from "../../../etcd3/transaction.js";
import type { EtcdNode } from "../../../model/node.js";
import type { StoreEvent } from "../../shared/store-event.js";
import { type ActionRecord, decodeActionRecord } from "../schema/action-record.js";
import type { KeySchema } from "../schema/key-schema.js";
import { type NodeView, showDirectory, showFile } from "../schema/node-view.js";
import { ancestorsOf } from "../schema/path-snapshot.js";
import type { KeyChange, Revision } from "./revision-stream.js";

/** Everything needed to present the changes of a revision as v2 events. */
export interface EventView extends NodeView {
  /** Whether a lease has expired. This distinguishes an expiry from a delete. */
  readonly hasExpired: (lease: string) => boolean;
}

/** A change of a file or a marker, with its v2 path. */
interface PathChange extends KeyChange {
  readonly path: string;
}

/** The changes of a revision by kind. */
interface Sorted {
  readonly record: ActionRecord | undefined;
  readonly files: readonly PathChange[];
  readonly markers: readonly PathChange[];
}

/**
 * The v2 events of a revision. A write of this library is one event, described by its action
 * record. Writes of other clients become one event per key.
 */
export function eventsOf(
  revision: Revision,
  schema: KeySchema,
  view: EventView,
): readonly StoreEvent[] {
  const sorted = sort(revision.changes, schema);
  const index = revision.number + view.offset;
  if (sorted.record === undefined) return externalEvents(sorted, index, view);
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
    const deleted = [...files, ...markers].filter(({ deleted }) => deleted);
    const prevNode = record.dir
      ? previousDirectory(key, marker, files, view)
      : previousFile(file, view);
    return removal(action, key, record.dir, prevNode, deleted, index);
  }
  const node = record.dir ? currentDirectory(marker, action, index, view) : currentFile(file, view);
  if (node === undefined) return undefined;
  const prevNode = previousFile(file, view) ?? previousDirectory(key, marker, [], view);
  return { action, node, ...(prevNode && { prevNode }) };
}

function externalEvents(
  { files, markers }: Sorted,
  index: number,
  view: EventView,
): readonly StoreEvent[] {
  const deleted = [...files, ...markers].filter(({ deleted }) => deleted);
  const removedMarkers = markers.filter(({ deleted }) => deleted);
  const paths = new Set(removedMarkers.map(({ path }) => path));
  const isOutside = ({ path }: PathChange): boolean =>
    !ancestorsOf(path).some((at) => paths.has(at));
  const topmost = removedMarkers.filter(isOutside);
  const otherFiles = files.filter(isOutside);
  return [
    ...topmost.map((marker) => {
      const prevNode = previousDirectory(marker.path, marker, [], view);
      // Without the previous marker, assume an expiry: directories are seldom removed by hand.
      const action = marker.prev === undefined ? "expire" : endOf(marker, view);
      return removal(action, marker.path, true, prevNode, deleted, index);
    }),
    ...otherFiles.flatMap((file) => externalEvent(file, index, view)),
  ];
}

function externalEvent(file: PathChange, index: number, view: EventView): readonly StoreEvent[] {
  const prevNode = previousFile(file, view);
  if (file.deleted) {
    return [removal(endOf(file, view), file.path, false, prevNode, [], index)];
  }
  const node = currentFile(file, view);
  return node === undefined ? [] : [{ action: "set", node, ...(prevNode && { prevNode }) }];
}

/** How a node without an action record ended. Without a lease it cannot have expired. */
function endOf({ prev }: PathChange, view: EventView): "expire" | "delete" {
  return view.hasExpired(prev?.lease ?? NO_LEASE) ? "expire" : "delete";
}

/** The event of a removal, without the removed content. */
function removal(
  action: StoreEvent["action"],
  key: string,
  dir: boolean,
  shown: EtcdNode | undefined,
  deleted: readonly PathChange[],
  index: number,
): StoreEvent {
  const prevNode = action === "expire" ? withoutTtl(shown) : shown;
  const createdIndex = prevNode?.createdIndex ?? index;
  const removed = dir ? pathsBelow(key, deleted) : [];
  return {
    action,
    node: { key, ...(dir && { dir }), modifiedIndex: index, createdIndex },
    ...(prevNode && { prevNode }),
    ...(removed.length > 0 && { removed }),
  };
}

/**
 * A lease can expire seconds late, which would make `ttl` negative. etcd v2 omits `ttl` in expire
 * events; so does this.
 */
function withoutTtl(node: EtcdNode | undefined): EtcdNode | undefined {
  if (node === undefined) return undefined;
  const { ttl: _, ...rest } = node;
  return rest;
}

/** Paths of everything removed with a directory, including directories without a marker. */
function pathsBelow(directory: string, deleted: readonly PathChange[]): readonly string[] {
  const paths = new Set<string>();
  for (let { path } of deleted) {
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

function currentFile(file: PathChange | undefined, view: NodeView): EtcdNode | undefined {
  return file === undefined || file.deleted ? undefined : showFile(file.path, file.kv, view);
}

function previousFile(file: PathChange | undefined, view: NodeView): EtcdNode | undefined {
  return file?.prev && showFile(file.path, file.prev, view);
}

/** v2 returns the index of a change to a directory, but does not store it. */
function currentDirectory(
  marker: PathChange | undefined,
  action: StoreEvent["action"],
  index: number,
  view: NodeView,
): EtcdNode | undefined {
  if (marker === undefined || marker.deleted) return undefined;
  const node = showDirectory(marker.path, marker.kv, true, view);
  return action === "update" ? { ...node, modifiedIndex: index } : node;
}

/** The previous directory: by its marker or, without one, by the first key below it. */
function previousDirectory(
  path: string,
  marker: PathChange | undefined,
  files: readonly PathChange[],
  view: NodeView,
): EtcdNode | undefined {
  if (marker?.prev !== undefined) return showDirectory(path, marker.prev, true, view);
  const first = firstBelow(path, files);
  return first && showDirectory(path, first, false, view);
}

/** etcd delivers the deletes of one range in byte order of the keys. */
function firstBelow(directory: string, files: readonly PathChange[]): KeyValue | undefined {
  return files.find(({ path, deleted }) => deleted && isBelow(path, directory))?.prev;
}
