import type { BulkLoading } from "../../key-space/bulk-loading.js";
import type { Clock } from "../../time/clock.js";
import type { Comparison, PlacedDifference, Tree } from "../compare/compare-trees.js";
import { isTooLarge } from "../compare/is-too-large.js";
import { tooLarge } from "../compare/loss.js";
import type { Losses } from "../compare/losses.js";
import { forEachConcurrent } from "../source/for-each-concurrent.js";
import { withRetries } from "../source/key-space-with-retries.js";
import type { TreeEntry } from "../source/tree-entry.js";
import { NodeWriter, type Wanted } from "./node-writer.js";
import type { RateLimiter } from "./rate-limiter.js";

/** What a writer works with. */
export interface WriterSettings {
  readonly pace: RateLimiter;
  readonly losses: Losses;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** How a target can be filled before it is in use. */
export interface Loader {
  readonly loading: BulkLoading;
  /** What stands before keys there; empty for the root. */
  readonly prefix: string;
}

/** Writes under way at the same time. */
const AT_A_TIME = 32;

/** Makes a tree like another, by the differences between them. */
export class TargetWriter {
  readonly #nodes: NodeWriter;
  readonly #pace: RateLimiter;
  readonly #losses: Losses;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  /** Set while the target is not in use. */
  loader: Loader | undefined;
  /** Nodes that were written or removed. */
  written = 0;

  constructor(tree: Tree, { pace, losses, clock, signal }: WriterSettings) {
    this.#nodes = new NodeWriter(tree, { signal });
    this.#pace = pace;
    this.#losses = losses;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** Directories before files, as a file of one comparison may lie in a directory of it. */
  async applyDifferences(
    differences: readonly PlacedDifference[],
    readAt: Comparison["readAt"],
  ): Promise<void> {
    const quick = this.loader === undefined ? [] : differences.filter(isLoadable);
    await this.#load(
      quick.map(({ entry }) => entry),
      readAt,
    );
    const loaded = new Set<PlacedDifference>(quick);
    const rest = differences.filter((difference) => !loaded.has(difference));
    const directories = rest.filter((each) => each.kind !== "extra" && each.entry.dir === true);
    await this.all(directories, (difference) => this.#resolve(difference, readAt));
    const others = new Set<PlacedDifference>(directories);
    await this.all(
      rest.filter((each) => !others.has(each)),
      (difference) => this.#resolve(difference, readAt),
    );
  }

  async put(node: Wanted): Promise<void> {
    await this.#unlessTooLarge(node.key, () => this.#nodes.put(node));
    this.written++;
  }

  async removeFile(key: string): Promise<void> {
    await this.#nodes.removeFile(key);
    this.written++;
  }

  /** Does something for each item, some at a time. */
  all<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
    return forEachConcurrent(items, AT_A_TIME, work);
  }

  async #load(entries: readonly TreeEntry[], readAt: number): Promise<void> {
    const { loader } = this;
    if (loader === undefined) return;
    for (let start = 0; start < entries.length; start += this.#pace.most) {
      const some = entries.slice(start, start + this.#pace.most);
      await this.#loadTogether(
        some.map((entry) => this.#fresh(entry, readAt)),
        loader,
      );
      this.written += some.length;
      await this.#pace.after(some.length, this.#signal);
    }
  }

  /** What is too large for one transaction goes out in several. */
  async #loadTogether(nodes: readonly TreeEntry[], loader: Loader): Promise<void> {
    const { loading, prefix } = loader;
    const placed = nodes.map((node) => ({ ...node, key: `${prefix}${node.key}` }));
    const signal = this.#signal;
    const load = () => withRetries(this.#clock, signal, () => loading.load(placed, { signal }));
    const [first] = nodes;
    if (first === undefined) return;
    if (nodes.length === 1) return await this.#unlessTooLarge(first.key, load);
    try {
      await load();
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      const half = Math.ceil(nodes.length / 2);
      await this.#loadTogether(nodes.slice(0, half), loader);
      await this.#loadTogether(nodes.slice(half), loader);
    }
  }

  async #unlessTooLarge(key: string, write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      this.#losses.meet(tooLarge(key, error));
    }
  }

  async #resolve(difference: PlacedDifference, readAt: number): Promise<void> {
    if (difference.kind === "extra") await this.#nodes.removeAll(difference.found.key);
    else if (difference.kind === "ttl") {
      await this.#nodes.changeTtl(this.#fresh(difference.entry, readAt));
    } else {
      const node = this.#fresh(difference.entry, readAt);
      await this.#unlessTooLarge(node.key, () => this.#nodes.put(node));
    }
    this.written++;
    await this.#pace.after(1, this.#signal);
  }

  /** With what is left of its TTL. */
  #fresh(entry: TreeEntry, readAt: number): TreeEntry {
    if (entry.ttl === undefined) return entry;
    const passed = Math.floor((this.#clock.monotonic() - readAt) / 1000);
    return { ...entry, ttl: Math.max(1, entry.ttl - passed) };
  }
}

type Loadable = PlacedDifference & { readonly kind: "missing" | "value" };

/** Not what depends on the directories above it, nor directories with a TTL. */
function isLoadable(difference: PlacedDifference): difference is Loadable {
  if (!difference.isPlain) return false;
  if (difference.kind === "value") return true;
  return difference.kind === "missing" && !(difference.entry.dir && difference.entry.ttl);
}
