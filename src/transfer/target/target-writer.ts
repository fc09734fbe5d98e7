import type { BulkLoading } from "../../key-space/bulk-loading.js";
import type { Clock } from "../../time/clock.js";
import type { Comparison, PlacedDifference, Tree } from "../compare/compare-trees.js";
import { isValueTooLarge } from "../compare/is-value-too-large.js";
import { tooLarge } from "../compare/loss.js";
import type { Losses } from "../compare/losses.js";
import { forEachConcurrent } from "../source/for-each-concurrent.js";
import { withRetries } from "../source/key-space-with-retries.js";
import type { TreeEntry } from "../source/tree-entry.js";
import { type DesiredNode, NodeWriter } from "./node-writer.js";
import type { RateLimiter } from "./rate-limiter.js";

/** Settings of a `TargetWriter`. */
export interface WriterSettings {
  readonly limiter: RateLimiter;
  readonly losses: Losses;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Bulk loading of a target that is not in use yet. */
export interface Loader {
  readonly loading: BulkLoading;
  /** The prefix of all keys; empty for the root. */
  readonly prefix: string;
}

const MAX_CONCURRENT_WRITES = 32;

/** Applies the differences between two trees to the target. */
export class TargetWriter {
  readonly #nodes: NodeWriter;
  readonly #limiter: RateLimiter;
  readonly #losses: Losses;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  /** Set while the target is not in use. */
  loader: Loader | undefined;
  /** Nodes that were written or removed. */
  written = 0;

  constructor(tree: Tree, { limiter, losses, clock, signal }: WriterSettings) {
    this.#nodes = new NodeWriter(tree, { signal });
    this.#limiter = limiter;
    this.#losses = losses;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** Writes directories first, because a file may be in a directory of the same comparison. */
  async applyDifferences(
    differences: readonly PlacedDifference[],
    readAt: Comparison["readAt"],
  ): Promise<void> {
    const loadable = this.loader === undefined ? [] : differences.filter(isLoadable);
    await this.#load(
      loadable.map(({ entry }) => entry),
      readAt,
    );
    const loaded = new Set<PlacedDifference>(loadable);
    const rest = differences.filter((difference) => !loaded.has(difference));
    const directories = rest.filter((each) => each.kind !== "extra" && each.entry.dir === true);
    await this.all(directories, (difference) => this.#resolve(difference, readAt));
    const others = new Set<PlacedDifference>(directories);
    await this.all(
      rest.filter((each) => !others.has(each)),
      (difference) => this.#resolve(difference, readAt),
    );
  }

  async put(node: DesiredNode): Promise<void> {
    await this.#recordIfTooLarge(node.key, () => this.#nodes.put(node));
    this.written++;
  }

  async removeFile(key: string): Promise<void> {
    await this.#nodes.removeFile(key);
    this.written++;
  }

  /** Removes a directory and everything below it. */
  async removeAll(key: string): Promise<void> {
    await this.#nodes.removeAll(key);
    this.written++;
  }

  /** Runs work for each item with limited concurrency. */
  all<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
    return forEachConcurrent(items, MAX_CONCURRENT_WRITES, work);
  }

  async #load(entries: readonly TreeEntry[], readAt: number): Promise<void> {
    const { loader } = this;
    if (loader === undefined) return;
    for (let start = 0; start < entries.length; start += this.#limiter.maxBatchSize) {
      const batch = entries.slice(start, start + this.#limiter.maxBatchSize);
      await this.#loadTogether(
        batch.map((entry) => this.#withRemainingTtl(entry, readAt)),
        loader,
      );
      this.written += batch.length;
      await this.#limiter.waitAfter(batch.length, this.#signal);
    }
  }

  /** Splits a batch that is too large for one transaction. */
  async #loadTogether(nodes: readonly TreeEntry[], loader: Loader): Promise<void> {
    const { loading, prefix } = loader;
    const prefixed = nodes.map((node) => ({ ...node, key: `${prefix}${node.key}` }));
    const signal = this.#signal;
    const load = () => withRetries(this.#clock, signal, () => loading.load(prefixed, { signal }));
    const [first] = nodes;
    if (first === undefined) return;
    if (nodes.length === 1) return await this.#recordIfTooLarge(first.key, load);
    try {
      await load();
    } catch (error) {
      if (!isValueTooLarge(error)) throw error;
      const half = Math.ceil(nodes.length / 2);
      await this.#loadTogether(nodes.slice(0, half), loader);
      await this.#loadTogether(nodes.slice(half), loader);
    }
  }

  async #recordIfTooLarge(key: string, write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (!isValueTooLarge(error)) throw error;
      this.#losses.recordAndCheck(tooLarge(key, error));
    }
  }

  async #resolve(difference: PlacedDifference, readAt: number): Promise<void> {
    if (difference.kind === "extra") await this.#nodes.removeAll(difference.found.key);
    else if (difference.kind === "ttl") {
      await this.#nodes.changeTtl(this.#withRemainingTtl(difference.entry, readAt));
    } else {
      const node = this.#withRemainingTtl(difference.entry, readAt);
      await this.#recordIfTooLarge(node.key, () => this.#nodes.put(node));
    }
    this.written++;
    await this.#limiter.waitAfter(1, this.#signal);
  }

  /** The entry with the remaining time of its TTL. */
  #withRemainingTtl(entry: TreeEntry, readAt: number): TreeEntry {
    if (entry.ttl === undefined) return entry;
    const passed = Math.floor((this.#clock.monotonic() - readAt) / 1000);
    return { ...entry, ttl: Math.max(1, entry.ttl - passed) };
  }
}

type Loadable = PlacedDifference & { readonly kind: "missing" | "value" };

/** Bulk loading cannot write nodes that depend on their parents, or directories with a TTL. */
function isLoadable(difference: PlacedDifference): difference is Loadable {
  if (!difference.isPlain) return false;
  if (difference.kind === "value") return true;
  return difference.kind === "missing" && !(difference.entry.dir && difference.entry.ttl);
}
