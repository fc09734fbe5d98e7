import { isRemoval } from "../../model/actions.js";
import type { AnyNode } from "../../model/node.js";
import type { Action } from "../../model/response.js";
import type { WatchItem } from "../../model/watch-item.js";
import { childOf, isWithin } from "./key-path.js";

/** The names of the in-order files in a directory, updated by a watch. The oldest comes first. */
export class ChildNames implements Iterable<string> {
  readonly #directory: string;
  #names = new Set<string>();
  #isKnown = false;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Whether the watch has delivered the initial state. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  add(name: string): void {
    this.#names.add(name);
  }

  delete(name: string): void {
    this.#names.delete(name);
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#names.values();
  }

  apply(item: WatchItem): void {
    if (item.type === "resync") this.#replace(item.response?.node);
    else this.#change(item.response.action, item.response.node);
  }

  #replace(directory: AnyNode | undefined): void {
    const names = (directory?.nodes ?? []).flatMap((node) => this.#nameOf(node) ?? []);
    this.#names = new Set(names.sort(byNumber));
    this.#isKnown = true;
  }

  #change(action: Action, node: AnyNode): void {
    const name = this.#nameOf(node);
    const removed = isRemoval(action);
    if (name !== undefined && removed) this.#names.delete(name);
    else if (name !== undefined) this.#names.add(name);
    else if (removed && isWithin(this.#directory, node.key)) this.#names.clear();
  }

  #nameOf({ key, dir }: AnyNode): string | undefined {
    const name = key.slice(key.lastIndexOf("/") + 1);
    const isItem = key === childOf(this.#directory, name) && /^\d+$/.test(name);
    return isItem && dir !== true ? name : undefined;
  }
}

/** Old releases of etcd do not pad names with zeros. */
function byNumber(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : 1);
}
