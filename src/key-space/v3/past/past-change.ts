import type { EtcdNode, RemovedNode } from "../../../model/node.js";
import type { PastChange } from "../../past.js";
import type { ActionRecord } from "../schema/action-record.js";
import { type NodeView, showDirectory, showFile } from "../schema/node-view.js";
import type { EventView } from "../watch/events-of-revision.js";
import type { KeyChange } from "../watch/revision-stream.js";

/** What happened to one path in one revision. */
export interface PathRevision {
  readonly path: string;
  readonly revision: number;
  readonly file: KeyChange | undefined;
  readonly marker: KeyChange | undefined;
  /** The action record of the revision, if it has one. */
  readonly record: ActionRecord | undefined;
}

/** The change of a path, whichever key was written. */
export function pastChangeOf(change: PathRevision, view: EventView): PastChange {
  const { path, revision, record } = change;
  const index = revision + view.offset;
  const prevNode = nodeOf(path, change, "prev", view);
  const node = nodeOf(path, change, "kv", view) ?? removedNode(path, prevNode, index);
  return {
    index,
    action: actionOf(change, view),
    node,
    ...(prevNode && { prevNode }),
    ...(record?.silent === true && { refresh: true }),
    ...(record !== undefined && record.key !== path && { by: record.key }),
  };
}

function actionOf(change: PathRevision, view: EventView): PastChange["action"] {
  const { path, file, marker, record } = change;
  const changed = file ?? marker;
  const isRemoved = file?.deleted !== false && marker?.deleted !== false;
  if (record?.key === path) return record.action as PastChange["action"];
  if (isRemoved) {
    if (record !== undefined) return record.action === "expire" ? "expire" : "delete";
    return changed?.prev !== undefined && view.hasExpired(changed.prev.lease) ? "expire" : "delete";
  }
  if (file !== undefined && !file.deleted) return record === undefined ? "set" : "update";
  return marker?.prev === undefined ? "create" : "update";
}

/** The node before or after: a file hides the directory with the same path. */
function nodeOf(
  path: string,
  { file, marker }: PathRevision,
  side: "prev" | "kv",
  view: NodeView,
): EtcdNode | undefined {
  const fileKey = side === "prev" ? file?.prev : file?.deleted === false ? file.kv : undefined;
  if (fileKey !== undefined) return showFile(path, fileKey, view);
  const markerKey =
    side === "prev" ? marker?.prev : marker?.deleted === false ? marker.kv : undefined;
  return markerKey && showDirectory(path, markerKey, true, view);
}

function removedNode(path: string, before: EtcdNode | undefined, index: number): RemovedNode {
  return {
    key: path,
    ...(before?.dir && { dir: true }),
    modifiedIndex: index,
    createdIndex: before?.createdIndex ?? index,
  };
}
