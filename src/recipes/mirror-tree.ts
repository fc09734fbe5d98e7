import type { EtcdNode } from "../model/node.js";
import type { EtcdResponse } from "../model/response.js";
import { isRemoval } from "./is-removal.js";
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
    const walked: EtcdNode[] = [];
    const visit = (node: EtcdNode): void => {
      walked.push(node);
      for (const child of this.list(node.key)) visit(child);
    };
    const top = this.#nodes.get(this.#top);
    if (top !== undefined) visit(top);
    return walked;
  }

  /**
   * Carries out what an event tells, and answers with what that changed: whatever went with a
   * directory before the directory itself, and directories made on the way before what is in them.
   */
  apply(event: Event): MirrorChange[] {
    const { action, node } = event;
    return isRemoval(action) ? this.#remove(node.key, action) : this.#put(event);
  }

  #load(node: EtcdNode): void {
    this.#nodes.set(node.key, node.nodes === undefined ? node : withoutNodes(node));
    if (node.nodes === undefined) return;
    this.#children.set(node.key, new MirrorChildren(node.nodes.map(({ key }) => key)));
    for (const child of node.nodes) this.#load(child);
  }

  #put({ action, node, prevNode }: Event): MirrorChange[] {
    const { key } = node;
    const changes = this.#makeParents(node, action);
    const former = this.#nodes.get(key);
    // An update leaves a directory's children; and etcd does not store its new index.
    const isSame = action === "update" && node.dir === true;
    if (!isSame) this.#removeBelow(key, action, changes);
    if (former === undefined) this.#link(key);
    const stored = isSame && prevNode ? { ...node, modifiedIndex: prevNode.modifiedIndex } : node;
    this.#nodes.set(key, stored);
    changes.push(changeOf(action, key, former, stored));
    return changes;
  }

  /** etcd makes missing directories without a word. Theirs is the index of what made them. */
  #makeParents({ key, modifiedIndex }: EtcdNode, action: Event["action"]): MirrorChange[] {
    const parent = parentOf(key);
    if (key === this.#top || this.#nodes.get(parent)?.dir === true) return [];
    const node: EtcdNode = { key: parent, dir: true, modifiedIndex, createdIndex: modifiedIndex };
    return this.#put({ action, node });
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
    for (const child of this.list(key)) {
      this.#removeBelow(child.key, action, changes);
      this.#nodes.delete(child.key);
      changes.push(changeOf(action, child.key, child, undefined));
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
