import type { StoreSnapshot } from "../key-space/memory/store.js";
import type { SnapshotNode } from "../key-space/memory/store-walk.js";
import { isCount, isObject, type JsonObject, readJson } from "../wire/json.js";
import { bytesOf } from "./bytes.js";

/** The time of a node that does not expire: the zero value of Go's `time.Time`. */
const NEVER = "0001-01-01T00:00:00Z";
const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/**
 * Reads etcd's v2 store from its JSON. etcd wrote U+FFFD in place of bytes that are not UTF-8.
 *
 * @throws Error when it is not a v2 store
 */
export function readStoreJson(json: Buffer): StoreSnapshot {
  const store = readJson(json.toString());
  if (!isObject(store) || !isCount(store.CurrentIndex) || !isObject(store.Root)) throw invalid("");
  const nodes: SnapshotNode[] = [];
  // No recursion: a tree may be deeper than the stack.
  const pending = [{ path: "", node: store.Root }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for (const [name, node] of Object.entries(childrenOf(next.node))) {
      const path = `${next.path}/${bytesOf(name)}`;
      if (name === "" || name.includes("/") || !isObject(node)) throw invalid(path);
      nodes.push(readNode(path, node));
      pending.push({ path, node });
    }
  }
  return { index: store.CurrentIndex, nodes };
}

function childrenOf({ Children }: JsonObject): JsonObject {
  return isObject(Children) ? Children : {};
}

function readNode(path: string, node: JsonObject): SnapshotNode {
  const { Path, Value, Children, CreatedIndex, ModifiedIndex, ExpireTime } = node;
  // The text of each path is in the file, so a small file cannot have long paths.
  if (typeof Path !== "string" || bytesOf(Path) !== path) throw invalid(path);
  const isNode = typeof Value === "string" && typeof ExpireTime === "string";
  const isFile = Children === null;
  if (!isNode || !isCount(CreatedIndex) || !isCount(ModifiedIndex)) throw invalid(path);
  if (!isFile && !isObject(Children)) throw invalid(path);
  const value = isFile ? bytesOf(Value) : null;
  return [path, value, CreatedIndex, ModifiedIndex, readTime(ExpireTime, path)];
}

/** Milliseconds since 1970, with a fraction: etcd's times have nanoseconds. */
function readTime(text: string, path: string): number | null {
  if (text === NEVER) return null;
  const [, seconds, fraction = "0", zone] = TIME.exec(text) ?? [];
  const time = Date.parse(`${seconds}${zone}`);
  if (Number.isNaN(time)) throw invalid(path);
  return time + Number(fraction) * 1000;
}

function invalid(path: string): Error {
  return new Error(`the JSON of the v2 store is not valid at ${path || "/"}`);
}
