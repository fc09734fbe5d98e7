import { parentPath } from "../shared/path.js";
import { ExpiryQueue } from "./expiry-queue.js";
import { Listing, type ListingOptions } from "./listing.js";
import { StoreNode } from "./store-node.js";
import { type SnapshotNode, StoreWalk } from "./store-walk.js";

/**
 * The nodes of a store, by path, by directory and by expiry. A lookup costs one hash at any depth.
 * No recursion: a restored tree may be deep.
 */
export class NodeTree {
  readonly #nodes = new Map<string, StoreNode>();
  readonly #root = new StoreNode("", undefined, 0);
  readonly #expiries = new ExpiryQueue((node) => this.#nodes.get(node.path) === node);
  readonly #walks = new Set<StoreWalk>();
  readonly #listings = new Set<Listing>();

  constructor() {
    this.#nodes.set("", this.#root);
  }

  /** Fills an empty tree. @throws Error for a node without a parent directory */
  restore(nodes: Iterable<SnapshotNode>): void {
    for (const [path, value, createdIndex, modifiedIndex, expiration] of nodes) {
      const node = new StoreNode(path, value ?? undefined, createdIndex, expiration ?? undefined);
      node.modifiedIndex = modifiedIndex;
      this.#nodes.set(path, node);
    }
    for (const node of this.#nodes.values()) {
      if (node === this.#root) continue;
      const siblings = this.#nodes.get(parentPath(node.path))?.children;
      if (siblings === undefined) throw new Error(`node ${node.path} has no parent directory`);
      siblings.add(node);
      this.#expiries.add(node);
    }
  }

  /** Starts to read the tree while it changes. */
  walk(): StoreWalk {
    const walk: StoreWalk = new StoreWalk(this.#nodes, () => this.#walks.delete(walk));
    this.#walks.add(walk);
    return walk;
  }

  /** Starts to list a node while the tree changes. */
  list(top: StoreNode, options: ListingOptions): Listing {
    const listing = new Listing(top, options, (ended) => this.#listings.delete(ended));
    this.#listings.add(listing);
    return listing;
  }

  /** Must be called before a node changes in place. */
  willChange(node: StoreNode): void {
    for (const listing of this.#listings) listing.keep(node);
  }

  /** `path` is empty for the root. */
  get(path: string): StoreNode | undefined {
    return this.#nodes.get(path);
  }

  /** The node at a path or, if there is none, its nearest existing ancestor. */
  nearest(path: string): StoreNode {
    const exact = this.#nodes.get(path);
    if (exact !== undefined) return exact;
    let nearest = this.#root;
    for (;;) {
      const next = this.#nodes.get(childTowards(nearest.path, path));
      if (next === undefined) return nearest;
      nearest = next;
    }
  }

  /** Adds a node, in place of a file, and creates missing parent directories. */
  put(node: StoreNode): void {
    const siblings = this.#directory(parentPath(node.path), node.createdIndex);
    const previous = this.#nodes.get(node.path);
    if (previous !== undefined) siblings.delete(previous);
    siblings.add(node);
    this.#nodes.set(node.path, node);
    this.changed(node);
  }

  /** Records that the value or expiration of a node changed. */
  changed(node: StoreNode): void {
    this.#expiries.add(node);
    this.#recordChange(node.path);
  }

  /** Removes a node and its descendants. Returns the paths of the descendants, deepest first. */
  remove(top: StoreNode): readonly string[] {
    this.#nodes.get(parentPath(top.path))?.children?.delete(top);
    const removed: string[] = [];
    const pending = [top];
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      this.#nodes.delete(node.path);
      this.#recordChange(node.path);
      if (node !== top) removed.push(node.path);
      for (const child of node.children ?? []) pending.push(child);
    }
    return removed.reverse();
  }

  /** Whether any node may have a TTL. */
  get hasTtls(): boolean {
    return !this.#expiries.isEmpty;
  }

  /** Returns the node that expired first, if any. The node stays in the tree. */
  takeExpired(now: number): StoreNode | undefined {
    return this.#expiries.takeExpired(now);
  }

  /** Children of a directory. Creates it and its ancestors if they are missing. */
  #directory(path: string, index: number): Set<StoreNode> {
    let directory = this.nearest(path);
    while (directory.path !== path) {
      const created = new StoreNode(childTowards(directory.path, path), undefined, index);
      directory.children?.add(created);
      this.#nodes.set(created.path, created);
      this.#recordChange(created.path);
      directory = created;
    }
    return directory.children ?? new Set();
  }

  #recordChange(path: string): void {
    for (const walk of this.#walks) walk.recordChange(path);
  }
}

/** The path one level below `above` towards `path`. */
export function childTowards(above: string, path: string): string {
  const end = path.indexOf("/", above.length + 1);
  return end === -1 ? path : path.slice(0, end);
}
