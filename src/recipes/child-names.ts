import type { EtcdNode } from "../model/node.js";
import type { WatchItem } from "../watch/watch-item.js";

const REMOVALS: ReadonlySet<string> = new Set(["delete", "expire", "compareAndDelete"]);

/** The names of the in-order files in a directory, kept up by a watch. Old ones come first. */
export class ChildNames implements Iterable<string> {
  readonly #directory: string;
  #names = new Set<string>();
  #isKnown = false;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Whether the watch has told what there is. */
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

  take(item: WatchItem): void {
    if (item.type === "resync") this.#replace(item.response?.node);
    else this.#change(item.response.action, item.response.node);
  }

  #replace(directory: EtcdNode | undefined): void {
    const names = (directory?.nodes ?? []).flatMap((node) => this.#nameOf(node) ?? []);
    this.#names = new Set(names.sort(byNumber));
    this.#isKnown = true;
  }

  #change(action: string, node: EtcdNode): void {
    const name = this.#nameOf(node);
    const removed = REMOVALS.has(action);
    if (name !== undefined && removed) this.#names.delete(name);
    else if (name !== undefined) this.#names.add(name);
    else if (removed && `${this.#directory}/`.startsWith(`${node.key}/`)) this.#names.clear();
  }

  #nameOf({ key, dir }: EtcdNode): string | undefined {
    const name = key.slice(this.#directory.length + 1);
    const isChild = key.startsWith(`${this.#directory}/`) && /^\d+$/.test(name);
    return isChild && dir !== true ? name : undefined;
  }
}

/** Old releases of etcd do not pad names with zeros. */
function byNumber(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : 1);
}
