import { isRemoval } from "../../model/actions.js";
import { type AnyNode, type EtcdNode, isPresent } from "../../model/node.js";
import type { Action, EtcdResponse } from "../../model/response.js";
import { changeOf, type MirrorChange } from "./mirror-change.js";
import { MirrorChildren } from "./mirror-children.js";

type Event = Pick<EtcdResponse, "action" | "node" | "prevNode">;

/**
 * A copy of the subtree at a key: a map from key to node, and the child keys of each directory. Files
 * are the parsed objects themselves; they are not copied.
 *
 * In the order of the map, parents come before their children, because they are inserted first.
 */
export class MirrorTree {
  readonly #top: string;
  readonly #nodes = new Map<string, EtcdNode>();
  readonly #children = new Map<string, MirrorChildren>();

  /** `node` is the result of a recursive read of `top`; absent when the key does not exist. */
  constructor(top: string, node?: AnyNode) {
    this.#top = top;
    if (node !== undefined && isPresent(node)) this.#load(node);
  }

  get(key: string): EtcdNode | undefined {
    return this.#nodes.get(key);
  }

  /** Every node; parents before children, otherwise unordered. */
  all(): Iterable<EtcdNode> {
    return this.#nodes.values();
  }

  /** Nodes in a directory, in the order of their keys. */
  list(key: string): EtcdNode[] {
    const keys = this.#children.get(key)?.inOrder() ?? [];
    return keys.flatMap((child) => this.#nodes.get(child) ?? []);
  }

  /** Every node; parents before children, children in the order of their keys. */
  walk(): EtcdNode[] {
    const top = this.#nodes.get(this.#top);
    return top === undefined ? [] : [top, ...this.#below(this.#top)];
  }

  /**
   * Applies an event and returns the changes: removed children before their directory, implicitly
   * created directories before their children.
   */
  apply(event: Event): MirrorChange[] {
    const { action, node } = event;
    return isRemoval(action) ? this.#remove(node.key, action) : this.#put(event);
  }

  #load(top: EtcdNode): void {
    const stack = [top];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      this.#nodes.set(node.key, node.nodes === undefined ? node : withoutNodes(node));
      if (node.nodes === undefined) continue;
      this.#children.set(node.key, new MirrorChildren(node.nodes.map(({ key }) => key)));
      for (const child of node.nodes.toReversed()) stack.push(child);
    }
  }

  /**
   * Every node below a key: parents before children, children in the order of their keys. This class
   * does not recurse: a tree may be deeper than the call stack.
   */
  #below(key: string): EtcdNode[] {
    const found: EtcdNode[] = [];
    const stack = this.list(key).reverse();
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      found.push(node);
      for (const child of this.list(node.key).reverse()) stack.push(child);
    }
    return found;
  }

  #put({ action, node, prevNode }: Event): MirrorChange[] {
    const changes: MirrorChange[] = [];
    if (!isPresent(node)) return changes;
    for (const parent of this.#missingParents(node)) {
      this.#putOne(action, parent, undefined, changes);
    }
    this.#putOne(action, node, prevNode, changes);
    return changes;
  }

  #putOne(
    action: Action,
    node: EtcdNode,
    prevNode: EtcdNode | undefined,
    changes: MirrorChange[],
  ): void {
    const { key } = node;
    const former = this.#nodes.get(key);
    // An update of a directory keeps its children, and etcd does not store the new index.
    const keepsChildren = action === "update" && node.dir === true;
    if (!keepsChildren) this.#removeBelow(key, action, changes);
    if (former === undefined) this.#link(key);
    const stored =
      keepsChildren && prevNode ? { ...node, modifiedIndex: prevNode.modifiedIndex } : node;
    this.#nodes.set(key, stored);
    changes.push(changeOf(action, key, former, stored));
  }

  /**
   * Parent directories that etcd creates without an event, from the top down. They have the index of
   * the write that created them.
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

  /** The removal of a parent of the top removes everything. */
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
    const stack = this.list(key);
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      gone.push(node);
      for (const child of this.list(node.key)) stack.push(child);
    }
    // Children are reported before their directory.
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

/** A directory must not keep an outdated list of its children. */
function withoutNodes({ nodes: _, ...directory }: EtcdNode): EtcdNode {
  return directory;
}
