import type { EtcdClient, EtcdResponse } from "../../src/index.js";
import { matchesWatch } from "../../src/key-space/shared/matches-watch.js";

/** A change as far as it is compared. */
export type Change = Pick<EtcdResponse, "action" | "node" | "prevNode">;

/** What a watch has told, and what is wrong with it. */
export class SoakRecord {
  /** Resolves when the state at the beginning was told. */
  readonly ready: Promise<void>;
  readonly changes: Change[] = [];
  /** What must never happen: an event twice, out of order, or of something else. */
  readonly faults: string[] = [];
  /** How many indexes no event and no resync accounts for: it matters to a watch of everything. */
  holes = 0;
  /** Spans of indexes, both ends included, of which a resync told the outcome alone. */
  readonly #skipped: (readonly [number, number])[] = [];
  readonly #name: string;
  readonly #key: string;
  #index = 0;
  #begun = 0;
  #tell: () => void = () => {};

  constructor(name: string, etcd: EtcdClient, key: string) {
    this.#name = name;
    this.#key = key;
    this.ready = new Promise((resolve) => {
      this.#tell = resolve;
    });
    void this.#follow(etcd);
  }

  get resyncs(): number {
    return this.#skipped.length;
  }

  get summary(): string {
    return `${this.#name}: ${this.changes.length} changes, ${this.resyncs} resyncs`;
  }

  /** Resolves when the change of an index, or a later one, was told. */
  async until(index: number): Promise<void> {
    while (this.#index < index) {
      await new Promise<void>((resolve) => {
        this.#tell = resolve;
      });
    }
  }

  /** Which of the changes that happened were not told, though no resync covers them. */
  missing(happened: readonly Change[]): readonly string[] {
    const told = new Set(this.changes.map(({ node }) => node.modifiedIndex));
    return happened
      .filter((change) => matchesWatch({ key: this.#key, recursive: true }, change))
      .map(({ node }) => node.modifiedIndex)
      .filter((index) => index > this.#begun && index <= this.#index && !told.has(index))
      .filter((index) => !this.#skipped.some(([from, to]) => index >= from && index <= to))
      .map((index) => `${this.#name}: no change of ${index}`);
  }

  async #follow(etcd: EtcdClient): Promise<void> {
    const watch = etcd.watch(this.#key, { recursive: true, initial: true, pollInterval: 2_000 });
    try {
      for await (const item of watch) {
        if (item.type === "change") this.#takeChange(item.response);
        else this.#takeState(item.index);
        this.#tell();
      }
    } catch (error) {
      if (!(error instanceof Error && error.name === "AbortError")) this.faults.push(`${error}`);
      this.#tell();
    }
  }

  #takeState(index: number): void {
    if (this.#begun === 0) this.#begun = index;
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
