import type { KeyValue } from "../../../etcd3/rpcs.js";
import type { EtcdNode } from "../../../model/node.js";
import { compareCodePoints } from "../../shared/code-point-order.js";
import { isHidden } from "../../shared/path.js";
import { levelsOf, MAX_V3_LEVELS } from "../schema/key-schema.js";
import { type NodeView, ownLease, showDirectory, showFile } from "../schema/node-view.js";

/** The known state of one node of a listing. */
interface Entry {
  readonly path: string;
  file?: KeyValue;
  marker?: KeyValue;
  /** The first key found below it. */
  first?: KeyValue;
  readonly children: Map<string, Entry>;
}

/** The nodes of a directory, built from keys and markers in byte order. */
export class Listing {
  readonly #root: Entry;
  readonly #recursive: boolean;
  /** Number of levels below the directory. No request can name a deeper key. */
  readonly #depth: number;

  constructor(path: string, recursive: boolean) {
    this.#root = { path, children: new Map() };
    this.#recursive = recursive;
    const depth = MAX_V3_LEVELS - levelsOf(path);
    this.#depth = recursive ? depth : Math.min(1, depth);
  }

  addFile(path: string, kv: KeyValue): void {
    const entry = this.#entry(path, kv);
    if (entry !== undefined) entry.file = kv;
  }

  addMarker(path: string, kv: KeyValue): void {
    const entry = this.#entry(path, kv);
    if (entry !== undefined) entry.marker = kv;
  }

  /**
   * The subdirectory of the listed level that contains a path; `undefined` for a node of the level
   * itself.
   */
  subdirectoryOn(path: string): string | undefined {
    if (this.#recursive) return undefined;
    const end = path.indexOf("/", this.#root.path.length + 1);
    return end === -1 ? undefined : path.slice(0, end);
  }

  /** Leases of the nodes below the entry. */
  *leases(entry: Entry = this.#root): Generator<string, void, undefined> {
    for (const child of entry.children.values()) {
      if (child.file !== undefined) yield child.file.lease;
      else if (child.marker !== undefined) yield ownLease(child.marker);
      yield* this.leases(child);
    }
  }

  /** The visible nodes of the directory. */
  nodes(view: NodeView, sorted: boolean): readonly EtcdNode[] {
    return nodesOf(this.#root, view, sorted);
  }

  /**
   * Returns the entry of a path. Creates it and its ancestors, which `kv` implies, if they are
   * missing.
   */
  #entry(path: string, kv: KeyValue): Entry | undefined {
    if (this.#depth <= 0) return undefined;
    let entry = this.#root;
    const names = path.slice(this.#root.path.length + 1).split("/", this.#depth + 1);
    for (const [level, name] of names.entries()) {
      if (!isName(name)) return undefined;
      let child = entry.children.get(name);
      if (child === undefined) {
        child = { path: `${entry.path}/${name}`, children: new Map() };
        entry.children.set(name, child);
      }
      if (level === names.length - 1) return child;
      child.first ??= kv;
      if (level + 1 === this.#depth) return undefined;
      entry = child;
    }
    return undefined;
  }
}

/** Whether a node can have this name. */
function isName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !name.includes("\0");
}

function nodesOf(entry: Entry, view: NodeView, sorted: boolean): readonly EtcdNode[] {
  const visible = [...entry.children.values()].filter(({ path }) => !isHidden(path));
  if (sorted) visible.sort((a, b) => compareCodePoints(a.path, b.path));
  return visible.flatMap((child) => show(child, view, sorted));
}

/** A file hides the directory with the same path. */
function show(entry: Entry, view: NodeView, sorted: boolean): readonly EtcdNode[] {
  const { path, file, marker, first } = entry;
  if (file !== undefined) return [showFile(path, file, view)];
  const kv = marker ?? first;
  if (kv === undefined) return [];
  const directory = showDirectory(path, kv, marker !== undefined, view);
  const nodes = nodesOf(entry, view, sorted);
  return [nodes.length === 0 ? directory : { ...directory, nodes }];
}
