import { isRemoval } from "../../model/actions.js";
import type { AnyNode, EtcdNode } from "../../model/node.js";
import type { EtcdResponse } from "../../model/response.js";
import type { WatchItem } from "../../model/watch-item.js";
import { isWithin } from "../shared/key-path.js";
import { type Instance, type InstanceReader, readInstance } from "./instance.js";

/** A change of an instance of a service. `instance` is the new state; for `down`, the last one. */
export interface InstanceEvent<M = unknown> {
  readonly type: "up" | "changed" | "down";
  readonly instance: Instance<M>;
}

interface Entry<M> {
  readonly value: string;
  readonly instance: Instance<M>;
}

/** The registered instances of a service, updated by a watch. Yields the events of each watch item. */
export class InstanceSet<M> {
  readonly #directory: string;
  readonly #reader: InstanceReader<M>;
  readonly #entries = new Map<string, Entry<M>>();

  constructor(directory: string, reader: InstanceReader<M>) {
    this.#directory = directory;
    this.#reader = reader;
  }

  *apply(item: WatchItem): Generator<InstanceEvent<M>, void, undefined> {
    if (item.type === "resync") yield* this.#replace(item.response?.node.nodes ?? []);
    else yield* this.#change(item.response);
  }

  *#change({ action, node }: EtcdResponse): Generator<InstanceEvent<M>, void, undefined> {
    if (this.#isChild(node)) yield* this.#put(node);
    else if (isRemoval(action) && isWithin(this.#directory, node.key)) yield* this.#replace([]);
  }

  *#replace(nodes: readonly EtcdNode[]): Generator<InstanceEvent<M>, void, undefined> {
    const keys = new Set(nodes.map(({ key }) => key));
    const gone = [...this.#entries.keys()].filter((key) => !keys.has(key));
    for (const key of gone) yield* this.#remove(key);
    for (const node of nodes) yield* this.#put(node);
  }

  /** A node without a value was deleted, or is a directory. */
  *#put(node: AnyNode): Generator<InstanceEvent<M>, void, undefined> {
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

  #isChild({ key }: AnyNode): boolean {
    const start = `${this.#directory}/`;
    return key.startsWith(start) && !key.slice(start.length).includes("/");
  }
}
