import type { EtcdNode } from "../../model/node.js";
import { compareCodePoints } from "../shared/code-point-order.js";
import type { StoreNode } from "./store-node.js";

/** Nodes per step. A step takes a few milliseconds. */
export const STEP_NODES = 2048;

/** What to list, and how. */
export interface ListingOptions {
  readonly recursive: boolean;
  readonly sorted: boolean;
  /** Time of the TTLs, in milliseconds since 1970. */
  readonly now: number;
  readonly stepNodes: number;
}

/**
 * A node with its visible children, as of the creation of the listing. The listing can be read in steps while
 * requests change the store. No recursion: a tree may be deep.
 */
export class Listing implements Disposable {
  /** The node. Its children are complete after all steps. */
  readonly node: EtcdNode;
  readonly #top: StoreNode;
  readonly #options: ListingOptions;
  readonly #onEnd: (listing: Listing) => void;
  /** The listed directories and their children, parents first. */
  readonly #directories: (readonly [StoreNode, readonly StoreNode[]])[] = [];
  /** Nodes that have changed since, as they were. */
  readonly #kept = new Map<StoreNode, EtcdNode>();

  /** `onEnd` is called when `keep` need no longer be called. */
  constructor(top: StoreNode, options: ListingOptions, onEnd: (listing: Listing) => void) {
    this.#top = top;
    this.#options = options;
    this.#onEnd = onEnd;
    this.node = top.show(options.now);
    const pending = [top];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (next.children === undefined) continue;
      const children = [...next.children];
      this.#directories.push([next, children]);
      if (!options.recursive) break;
      for (const child of children) {
        if (child.children !== undefined && !child.hidden) pending.push(child);
      }
    }
  }

  /** Keeps a node as it is. Must be called before a node of the store changes. */
  keep(node: StoreNode): void {
    if (!this.#kept.has(node)) this.#kept.set(node, node.show(this.#options.now));
  }

  /** Builds the children. Yields between two steps. */
  *steps(): Generator<void, void, undefined> {
    const { sorted, stepNodes } = this.#options;
    const shown = new Map([[this.#top, this.node]]);
    let count = 0;
    for (const [directory, children] of this.#directories) {
      const nodes: EtcdNode[] = [];
      for (const child of sorted ? yield* sortInSteps(children, stepNodes) : children) {
        if (++count % stepNodes === 0) yield;
        if (child.hidden) continue;
        const node = this.#show(child);
        nodes.push(node);
        if (child.children !== undefined) shown.set(child, node);
      }
      const node = shown.get(directory);
      if (node !== undefined && nodes.length > 0) Object.assign(node, { nodes });
    }
  }

  /** Runs all steps. */
  finish(): EtcdNode {
    for (const _step of this.steps());
    return this.node;
  }

  /** Ends the listing. */
  [Symbol.dispose](): void {
    this.#onEnd(this);
  }

  #show(node: StoreNode): EtcdNode {
    return this.#kept.get(node) ?? node.show(this.#options.now);
  }
}

/** Merge sort of runs that are each sorted in one step. */
function* sortInSteps(
  nodes: readonly StoreNode[],
  stepNodes: number,
): Generator<void, readonly StoreNode[], undefined> {
  let runs: StoreNode[][] = [];
  for (let at = 0; at < nodes.length; at += stepNodes) {
    if (at > 0) yield;
    runs.push(nodes.slice(at, at + stepNodes).sort(byPath));
  }
  while (runs.length > 1) {
    const merged: StoreNode[][] = [];
    for (let at = 0; at < runs.length; at += 2) {
      merged.push(yield* merge(runs[at] ?? [], runs[at + 1] ?? [], stepNodes));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

function* merge(
  first: readonly StoreNode[],
  second: readonly StoreNode[],
  stepNodes: number,
): Generator<void, StoreNode[], undefined> {
  const merged: StoreNode[] = [];
  let [atFirst, atSecond] = [0, 0];
  for (;;) {
    const [a, b] = [first[atFirst], second[atSecond]];
    const next = a === undefined || (b !== undefined && byPath(b, a) < 0) ? b : a;
    if (next === undefined) return merged;
    if (next === a) atFirst++;
    else atSecond++;
    if (merged.push(next) % stepNodes === 0) yield;
  }
}

function byPath(a: StoreNode, b: StoreNode): number {
  return compareCodePoints(a.path, b.path);
}

/** Whether a listing has more nodes than one step. Counts no further than that. */
export function isLargeListing(top: StoreNode, recursive: boolean): boolean {
  let count = 0;
  const pending = [top];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (next.children === undefined) continue;
    count += next.children.size;
    if (count > STEP_NODES) return true;
    if (recursive) pending.push(...next.children);
  }
  return false;
}
