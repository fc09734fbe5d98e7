import type { EtcdNode } from "../model/node.js";
import type { WatchItem } from "../watch/watch-item.js";
import { type Instance, type InstanceReader, readInstance } from "./instance.js";

/** What happened to an instance of a service; `instance` is as it is now, or as it was. */
export interface InstanceEvent<M = unknown> {
  readonly type: "up" | "changed" | "down";
  readonly instance: Instance<M>;
}

interface Entry<M> {
  readonly value: string;
  readonly instance: Instance<M>;
}

/** The instances of a service that are up, kept up by a watch; tells what each item changes. */
export class Roster<M> {
  readonly #directory: string;
  readonly #reader: InstanceReader<M>;
  readonly #entries = new Map<string, Entry<M>>();

  constructor(directory: string, reader: InstanceReader<M>) {
    this.#directory = directory;
    this.#reader = reader;
  }

  *take(item: WatchItem): Generator<InstanceEvent<M>, void, undefined> {
    const { response } = item;
    const nodes = item.type === "resync" ? (response?.node.nodes ?? []) : [];
    if (item.type === "resync") yield* this.#replace(nodes);
    else if (this.#isChild(item.response.node)) yield* this.#put(item.response.node);
    else if (this.#isAbove(item.response.node)) yield* this.#replace([]);
  }

  *#replace(nodes: readonly EtcdNode[]): Generator<InstanceEvent<M>, void, undefined> {
    const keys = new Set(nodes.map(({ key }) => key));
    const gone = [...this.#entries.keys()].filter((key) => !keys.has(key));
    for (const key of gone) yield* this.#remove(key);
    for (const node of nodes) yield* this.#put(node);
  }

  /** A node without a value was deleted, or is a directory by now. */
  *#put(node: EtcdNode): Generator<InstanceEvent<M>, void, undefined> {
    const { key, value } = node;
    const before = this.#entries.get(key);
    if (value !== undefined && before?.value === value) return;
    const instance = readInstance(node, this.#reader);
    if (instance === undefined || value === undefined) {
      yield* this.#remove(key);
      return;
    }
    this.#entries.set(key, { value, instance });
    yield { type: before === undefined ? "up" : "changed", instance };
  }

  *#remove(key: string): Generator<InstanceEvent<M>, void, undefined> {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    yield { type: "down", instance: entry.instance };
  }

  #isChild({ key }: EtcdNode): boolean {
    const start = `${this.#directory}/`;
    return key.startsWith(start) && !key.slice(start.length).includes("/");
  }

  /** What happens to the service itself, or above it, is that it is deleted. */
  #isAbove({ key }: EtcdNode): boolean {
    return key === "/" || `${this.#directory}/`.startsWith(`${key}/`);
  }
}
