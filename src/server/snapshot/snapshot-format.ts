import type { KeySpaceSnapshot } from "../../key-space/memory/memory-key-space.js";
import type { RemovedPath, SnapshotNode } from "../../key-space/memory/store-walk.js";
import type { StoreEvent } from "../../key-space/shared/store-event.js";
import { isCount, isObject, readJson } from "../../wire/json.js";

/**
 * A snapshot consists of JSON lines: a header; for each key space a line with its name, then its nodes;
 * for each key space a line with its name and indexes, then the nodes that changed during the first
 * part, the paths of the nodes removed during it, and the history; and a footer.
 */
export type SnapshotLine =
  | SnapshotHeader
  | Section
  | SnapshotNode
  | RemovedPath
  | StoreEvent
  | Footer;

interface SnapshotHeader {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
}

/** Begins a part of a key space; with indexes, the second part. */
export interface Section extends Partial<Omit<KeySpaceSnapshot, "store" | "history">> {
  readonly keySpace: "keys" | "auth";
  readonly index?: number;
}

/** Ends the file, with the number of lines before it and their SHA-256. */
export interface Footer {
  readonly lines: number;
  readonly sha256: string;
}

const FORMAT = "etcdnet snapshot";
const VERSION = 2;

export const HEADER: SnapshotHeader = { format: FORMAT, version: VERSION };

export function lineOf(line: SnapshotLine): string {
  return `${JSON.stringify(line)}\n`;
}

/** @throws SyntaxError for a text that is not a line of a snapshot */
export function readLine(text: string): Exclude<SnapshotLine, SnapshotHeader> {
  const value = readJson(text);
  if (isNode(value) || isRemoved(value)) return value;
  if (isSection(value) || isEvent(value) || isFooter(value)) return value;
  throw new SyntaxError("not a line of a snapshot");
}

export function isNode(value: unknown): value is SnapshotNode {
  if (!Array.isArray(value) || value.length !== 5) return false;
  const [path, content, createdIndex, modifiedIndex, expiration] = value;
  return (
    isPath(path) &&
    (content === null || typeof content === "string") &&
    isCount(createdIndex) &&
    isCount(modifiedIndex) &&
    (expiration === null || Number.isFinite(expiration))
  );
}

export function isRemoved(value: unknown): value is RemovedPath {
  return Array.isArray(value) && value.length === 1 && isPath(value[0]);
}

export function isSection(value: unknown): value is Section {
  if (!isObject(value) || (value.keySpace !== "keys" && value.keySpace !== "auth")) return false;
  const { clusterId, index, historyFloor } = value;
  if (index === undefined) return true;
  return typeof clusterId === "string" && isCount(index) && isCount(historyFloor);
}

function isEvent(value: unknown): value is StoreEvent {
  if (!isObject(value) || typeof value.action !== "string" || !isObject(value.node)) return false;
  return typeof value.node.key === "string" && isCount(value.node.modifiedIndex);
}

export function isFooter(value: unknown): value is Footer {
  return isObject(value) && isCount(value.lines) && typeof value.sha256 === "string";
}

function isPath(value: unknown): boolean {
  return typeof value === "string" && value.startsWith("/");
}
