import type { Loading } from "../key-space/loading.js";
import type { Clock } from "../time/clock.js";
import type { Comparison, PlacedDifference, Tree } from "./compare-trees.js";
import { eachOf } from "./each-of.js";
import { NodeWriter, type Wanted } from "./node-writer.js";
import type { Pace } from "./pace.js";
import { persistently } from "./persistent-key-space.js";
import type { TreeEntry } from "./tree-entry.js";

/** How a target can be filled before it is in use. */
export interface Loader {
  readonly loading: Loading;
  /** What stands before keys there; empty for the root. */
  readonly prefix: string;
}

/** Writes under way at the same time. */
const AT_A_TIME = 32;

/** Makes a tree like another, by the differences between them. */
export class TargetWriter {
  readonly #nodes: NodeWriter;
  readonly #pace: Pace;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  /** Set while the target is not in use. */
  loader: Loader | undefined;
  /** Nodes that were written or removed. */
  written = 0;
  /** Values among them that hold U+FFFD. */
  unreadable = 0;

  constructor(tree: Tree, pace: Pace, clock: Clock, signal: AbortSignal) {
    this.#nodes = new NodeWriter(tree, { signal });
    this.#pace = pace;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** Directories before files, as a file of one comparison may lie in a directory of it. */
  async settle({ differences, readAt }: Comparison): Promise<void> {
    const quick = this.loader === undefined ? [] : differences.filter(isLoadable);
    await this.#load(quick.map(({ entry }) => this.#fresh(entry, readAt)));
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
    await this.#nodes.put(node);
    this.#count(node);
  }

  async removeFile(key: string): Promise<void> {
    await this.#nodes.removeFile(key);
    this.written++;
  }

  /** Does something for each item, some at a time. */
  all<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
    return eachOf(oneByOne(items), AT_A_TIME, work);
  }

  async #load(nodes: readonly TreeEntry[]): Promise<void> {
    const { loading, prefix } = this.loader ?? {};
    if (loading === undefined) return;
    const [clock, signal] = [this.#clock, this.#signal];
    for (let start = 0; start < nodes.length; start += this.#pace.most) {
      const some = nodes.slice(start, start + this.#pace.most);
      const placed = some.map((node) => ({ ...node, key: `${prefix}${node.key}` }));
      await persistently(clock, signal, () => loading.load(placed, { signal }));
      for (const node of some) this.#count(node);
      await this.#pace.after(some.length, signal);
    }
  }

  async #resolve(difference: PlacedDifference, readAt: number): Promise<void> {
    if (difference.kind === "extra") await this.#nodes.removeAll(difference.found.key);
    else if (difference.kind === "ttl") {
      await this.#nodes.changeTtl(this.#fresh(difference.entry, readAt));
    } else {
      await this.#nodes.put(this.#fresh(difference.entry, readAt));
    }
    this.#count(difference.kind === "extra" ? {} : difference.entry);
    await this.#pace.after(1, this.#signal);
  }

  #count({ value }: Pick<TreeEntry, "value">): void {
    this.written++;
    if (value?.includes("\ufffd")) this.unreadable++;
  }

  /** With what is left of its TTL. */
  #fresh(entry: TreeEntry, readAt: number): TreeEntry {
    if (entry.ttl === undefined) return entry;
    const passed = Math.floor((this.#clock.monotonic() - readAt) / 1000);
    return { ...entry, ttl: Math.max(1, entry.ttl - passed) };
  }
}

async function* oneByOne<T>(items: readonly T[]): AsyncGenerator<T, void, undefined> {
  yield* items;
}

type Loadable = PlacedDifference & { readonly kind: "missing" | "value" };

/** Not what depends on the directories above it, nor directories with a TTL. */
function isLoadable(difference: PlacedDifference): difference is Loadable {
  if (!difference.isPlain) return false;
  if (difference.kind === "value") return true;
  return difference.kind === "missing" && !(difference.entry.dir && difference.entry.ttl);
}
