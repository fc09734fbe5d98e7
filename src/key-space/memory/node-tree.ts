import { parentPath } from "../shared/path.js";
import { ExpiryQueue } from "./expiry-queue.js";
import { StoreNode } from "./store-node.js";
import { type SnapshotNode, StoreWalk } from "./store-walk.js";

/**
 * The nodes of a store: by path, in their directories, and by the time of their expiry. A look-up
 * costs one hash whatever the depth. No recursion: a tree that was restored may be deep.
 */
export class NodeTree {
  readonly #nodes = new Map<string, StoreNode>();
  readonly #root = new StoreNode("", undefined, 0);
  readonly #expiries = new ExpiryQueue((node) => this.#nodes.get(node.path) === node);
  readonly #walks = new Set<StoreWalk>();

  constructor() {
    this.#nodes.set("", this.#root);
  }

  /** Fills an empty tree. @throws Error naming a node without a directory */
  restore(nodes: Iterable<SnapshotNode>): void {
    for (const [path, value, createdIndex, modifiedIndex, expiration] of nodes) {
      const node = new StoreNode(path, value ?? undefined, createdIndex, expiration ?? undefined);
      node.modifiedIndex = modifiedIndex;
      this.#nodes.set(path, node);
    }
    for (const node of this.#nodes.values()) {
      if (node === this.#root) continue;
      const siblings = this.#nodes.get(parentPath(node.path))?.children;
      if (siblings === undefined) throw new Error(`node ${node.path} is in no directory`);
      siblings.add(node);
      this.#expiries.add(node);
    }
  }

  /** Begins to read the whole tree while it changes. */
  walk(): StoreWalk {
    const walk: StoreWalk = new StoreWalk(this.#nodes, () => this.#walks.delete(walk));
    this.#walks.add(walk);
    return walk;
  }

  /** `path` is empty for the root. */
  get(path: string): StoreNode | undefined {
    return this.#nodes.get(path);
  }

  /** The node at a path or, where there is none, the last one on the way to it. */
  nearest(path: string): StoreNode {
    const exact = this.#nodes.get(path);
    if (exact !== undefined) return exact;
    let nearest = this.#root;
    for (;;) {
      const next = this.#nodes.get(nextOnTheWay(nearest.path, path));
      if (next === undefined) return nearest;
      nearest = next;
    }
  }

  /** Puts a node in its place, from which a file gives way, and makes the directories above it. */
  put(node: StoreNode): void {
    const siblings = this.#directory(parentPath(node.path), node.createdIndex);
    const former = this.#nodes.get(node.path);
    if (former !== undefined) siblings.delete(former);
    siblings.add(node);
    this.#nodes.set(node.path, node);
    this.changed(node);
  }

  /** Takes note of a node's new content or expiration. */
  changed(node: StoreNode): void {
    this.#expiries.add(node);
    this.#note(node.path);
  }

  /** Removes a node and all below it. Returns the paths below it, descendants first. */
  remove(top: StoreNode): readonly string[] {
    this.#nodes.get(parentPath(top.path))?.children?.delete(top);
    const removed: string[] = [];
    const waiting = [top];
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      this.#nodes.delete(node.path);
      this.#note(node.path);
      if (node !== top) removed.push(node.path);
      for (const child of node.children ?? []) waiting.push(child);
    }
    return removed.reverse();
  }

  /** Whether any node may have a TTL. */
  get hasTtls(): boolean {
    return !this.#expiries.isEmpty;
  }

  /** The node that has expired first, if one has. It is still in the tree. */
  takeExpired(now: number): StoreNode | undefined {
    return this.#expiries.takeExpired(now);
  }

  /** Children of a directory, which is made if it is missing, as are those above it. */
  #directory(path: string, index: number): Set<StoreNode> {
    let directory = this.nearest(path);
    while (directory.path !== path) {
      const made = new StoreNode(nextOnTheWay(directory.path, path), undefined, index);
      directory.children?.add(made);
      this.#nodes.set(made.path, made);
      this.#note(made.path);
      directory = made;
    }
    return directory.children ?? new Set();
  }

  #note(path: string): void {
    for (const walk of this.#walks) walk.note(path);
  }
}

/** The path that is one level below `above` on the way to `path`. */
export function nextOnTheWay(above: string, path: string): string {
  const end = path.indexOf("/", above.length + 1);
  return end === -1 ? path : path.slice(0, end);
}
