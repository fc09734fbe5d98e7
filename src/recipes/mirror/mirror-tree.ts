import type { EtcdNode } from "../../model/node.js";
import type { EtcdResponse } from "../../model/response.js";
import { isRemoval } from "../shared/is-removal.js";
import { changeOf, type MirrorChange } from "./mirror-change.js";
import { MirrorChildren } from "./mirror-children.js";

type Event = Pick<EtcdResponse, "action" | "node" | "prevNode">;

/**
 * A copy of the subtree at a key: a map from key to node, and of each directory the keys in it.
 * Files are the objects that were parsed; nothing of them is copied.
 *
 * Parents come before their children in the map's order, since no child is put in before its parent.
 */
export class MirrorTree {
  readonly #top: string;
  readonly #nodes = new Map<string, EtcdNode>();
  readonly #children = new Map<string, MirrorChildren>();

  /** `node` is the answer to a recursive read of `top`; absent when there is no such key. */
  constructor(top: string, node?: EtcdNode) {
    this.#top = top;
    if (node !== undefined) this.#load(node);
  }

  get(key: string): EtcdNode | undefined {
    return this.#nodes.get(key);
  }

  /** Every node; parents before children, else in no order. */
  all(): Iterable<EtcdNode> {
    return this.#nodes.values();
  }

  /** Nodes in a directory, in the order of their keys. */
  list(key: string): EtcdNode[] {
    const keys = this.#children.get(key)?.inOrder() ?? [];
    return keys.flatMap((child) => this.#nodes.get(child) ?? []);
  }

  /** Every node; parents before children, and these in the order of their keys. */
  walk(): EtcdNode[] {
    const top = this.#nodes.get(this.#top);
    return top === undefined ? [] : [top, ...this.#below(this.#top)];
  }

  /**
   * Carries out what an event tells, and answers with what that changed: whatever went with a
   * directory before the directory itself, and directories made on the way before what is in them.
   */
  apply(event: Event): MirrorChange[] {
    const { action, node } = event;
    return isRemoval(action) ? this.#remove(node.key, action) : this.#put(event);
  }

  #load(top: EtcdNode): void {
    const waiting = [top];
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      this.#nodes.set(node.key, node.nodes === undefined ? node : withoutNodes(node));
      if (node.nodes === undefined) continue;
      this.#children.set(node.key, new MirrorChildren(node.nodes.map(({ key }) => key)));
      for (const child of node.nodes.toReversed()) waiting.push(child);
    }
  }

  /**
   * Every node below a key: parents before children, and these in the order of their keys. No
   * recursion, here and in the rest of this class: a tree may be deeper than the stack.
   */
  #below(key: string): EtcdNode[] {
    const found: EtcdNode[] = [];
    const waiting = this.list(key).reverse();
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      found.push(node);
      for (const child of this.list(node.key).reverse()) waiting.push(child);
    }
    return found;
  }

  #put(event: Event): MirrorChange[] {
    const changes: MirrorChange[] = [];
    for (const parent of this.#missingParents(event.node)) {
      this.#putOne({ action: event.action, node: parent }, changes);
    }
    this.#putOne(event, changes);
    return changes;
  }

  #putOne({ action, node, prevNode }: Event, changes: MirrorChange[]): void {
    const { key } = node;
    const former = this.#nodes.get(key);
    // An update leaves a directory's children; and etcd does not store its new index.
    const isSame = action === "update" && node.dir === true;
    if (!isSame) this.#removeBelow(key, action, changes);
    if (former === undefined) this.#link(key);
    const stored = isSame && prevNode ? { ...node, modifiedIndex: prevNode.modifiedIndex } : node;
    this.#nodes.set(key, stored);
    changes.push(changeOf(action, key, former, stored));
  }

  /**
   * Directories that etcd makes without a word, from the top down. Theirs is the index of what made
   * them.
   */
  #missingParents({ key, modifiedIndex: index }: EtcdNode): EtcdNode[] {
    const missing: EtcdNode[] = [];
    for (let at = key; at !== this.#top && at !== "/"; ) {
      at = parentOf(at);
      if (this.#nodes.get(at)?.dir === true) break;
      missing.push({ key: at, dir: true, modifiedIndex: index, createdIndex: index });
    }
    return missing.reverse();
  }

  /** A key above the top takes all with it. */
  #remove(key: string, action: Event["action"]): MirrorChange[] {
    const removed = key.length < this.#top.length ? this.#top : key;
    const node = this.#nodes.get(removed);
    if (node === undefined) return [];
    const changes: MirrorChange[] = [];
    this.#removeBelow(removed, action, changes);
    this.#nodes.delete(removed);
    this.#children.get(parentOf(removed))?.remove(removed);
    changes.push(changeOf(action, removed, node, undefined));
    return changes;
  }

  #removeBelow(key: string, action: Event["action"], changes: MirrorChange[]): void {
    const gone: EtcdNode[] = [];
    const waiting = this.list(key);
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      gone.push(node);
      for (const child of this.list(node.key)) waiting.push(child);
    }
    // What is in a directory is told before the directory.
    for (const node of gone.reverse()) {
      this.#nodes.delete(node.key);
      this.#children.delete(node.key);
      changes.push(changeOf(action, node.key, node, undefined));
    }
    this.#children.delete(key);
  }

  #link(key: string): void {
    if (key === this.#top) return;
    const parent = parentOf(key);
    const siblings = this.#children.get(parent);
    if (siblings !== undefined) siblings.add(key);
    else this.#children.set(parent, new MirrorChildren([key]));
  }
}

/** The directory that a key is in. */
function parentOf(key: string): string {
  return key.slice(0, key.lastIndexOf("/")) || "/";
}

/** Listings of long ago must not stay with a directory. */
function withoutNodes({ nodes: _, ...directory }: EtcdNode): EtcdNode {
  return directory;
}
