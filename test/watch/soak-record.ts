import type { EtcdClient, EtcdResponse } from "../../src/index.js";
import { matchesWatch } from "../../src/key-space/shared/matches-watch.js";

/** The fields of a change that the soak test compares. */
export type Change = Pick<EtcdResponse, "action" | "node" | "prevNode">;

/** Records what a watch delivers, and its faults. */
export class SoakRecord {
  /** Resolves when the initial state is delivered. */
  readonly ready: Promise<void>;
  readonly changes: Change[] = [];
  /** Violations: duplicate events, events out of order, and events that do not match the watch. */
  readonly faults: string[] = [];
  /** Number of indexes without an event or a resync. It is meaningful only for a watch of the whole tree. */
  holes = 0;
  /** Inclusive ranges of indexes that a resync replaced. */
  readonly #skipped: (readonly [number, number])[] = [];
  readonly #name: string;
  readonly #key: string;
  #index = 0;
  #startIndex = 0;
  #notify: () => void = () => {};

  constructor(name: string, etcd: EtcdClient, key: string) {
    this.#name = name;
    this.#key = key;
    this.ready = new Promise((resolve) => {
      this.#notify = resolve;
    });
    void this.#follow(etcd);
  }

  get resyncs(): number {
    return this.#skipped.length;
  }

  get summary(): string {
    return `${this.#name}: ${this.changes.length} changes, ${this.resyncs} resyncs`;
  }

  /** Resolves when the watch has delivered an index or a later one. */
  async until(index: number): Promise<void> {
    while (this.#index < index) {
      await new Promise<void>((resolve) => {
        this.#notify = resolve;
      });
    }
  }

  /** The committed changes that were not delivered and that no resync covers. */
  missing(committed: readonly Change[]): readonly string[] {
    const delivered = new Set(this.changes.map(({ node }) => node.modifiedIndex));
    return committed
      .filter((change) => matchesWatch({ key: this.#key, recursive: true }, change))
      .map(({ node }) => node.modifiedIndex)
      .filter((index) => index > this.#startIndex && index <= this.#index && !delivered.has(index))
      .filter((index) => !this.#skipped.some(([from, to]) => index >= from && index <= to))
      .map((index) => `${this.#name}: no change of ${index}`);
  }

  async #follow(etcd: EtcdClient): Promise<void> {
    const watch = etcd.watch(this.#key, { recursive: true, initial: true, pollInterval: 2_000 });
    try {
      for await (const item of watch) {
        if (item.type === "change") this.#takeChange(item.response);
        else this.#takeState(item.index);
        this.#notify();
      }
    } catch (error) {
      if (!(error instanceof Error && error.name === "AbortError")) this.faults.push(`${error}`);
      this.#notify();
    }
  }

  #takeState(index: number): void {
    if (this.#startIndex === 0) this.#startIndex = index;
    else this.#skipped.push([this.#index + 1, index]);
    this.#index = index;
  }

  #takeChange(response: EtcdResponse): void {
    const { action, node, prevNode } = response;
    const { modifiedIndex } = node;
    if (modifiedIndex <= this.#index) this.faults.push(`${modifiedIndex} after ${this.#index}`);
    if (!matchesWatch({ key: this.#key, recursive: true }, response)) this.faults.push(node.key);
    this.holes += Math.max(0, modifiedIndex - this.#index - 1);
    this.changes.push({ action, node, ...(prevNode && { prevNode }) });
    this.#index = modifiedIndex;
  }
}
