import type { EtcdClient } from "../client/etcd-client.js";
import { CutoverError } from "../errors/cutover-error.js";
import { parentPath } from "../key-space/shared/path.js";
import type { Subscription } from "../key-space/subscription.js";
import { isRemoval } from "../model/actions.js";
import type { EtcdResponse } from "../model/response.js";
import { compareTrees } from "../transfer/compare/compare-trees.js";
import { forEachConcurrent } from "../transfer/source/for-each-concurrent.js";
import { withRetries } from "../transfer/source/key-space-with-retries.js";
import type { TreeEntry } from "../transfer/source/tree-entry.js";
import { type KeptIndexes, type NodeIndexes, shownIndexes } from "./kept-indexes.js";
import { PathMap } from "./path-map.js";

const POLL_INTERVAL_MS = 1_000;
/** Changes that are written together. */
const MANY = 2_000;
const MAX_CONCURRENT_WRITES = 4;
/** Indexes that one of them writes. */
const BATCH = 500;

/** The cluster that serves until the next switch. */
export interface KeeperSource {
  readonly source: EtcdClient;
  /** The root and the hidden keys that are copied. */
  readonly tops: readonly string[];
  /** First index after the last switch: nodes with smaller ones are copies. */
  readonly first: number;
  /** The indexes that clients saw before the last switch. */
  readonly before: Pick<KeptIndexes, "below">;
}

/** Keeps the indexes that clients see of all nodes of the cluster that serves, until it ends. They are stored on v3. */
export class IndexKeeper implements AsyncDisposable {
  readonly #source: EtcdClient;
  readonly #kept: Pick<KeptIndexes, "below" | "write">;
  readonly #tops: readonly string[];
  readonly #first: number;
  readonly #before: Pick<KeptIndexes, "below">;
  readonly #signal: AbortSignal | undefined;
  /** The indexes of the nodes that exist, as the cluster has them. */
  readonly #nodes = new PathMap<NodeIndexes>();
  /** Those that clients saw before the last switch. */
  #shownBefore: ReadonlyMap<string, NodeIndexes> = new Map();
  /** What was written, also by an earlier attempt. */
  #written = new Map<string, NodeIndexes>();
  /** Paths of which v3 must still be told. */
  readonly #changed = new Set<string>();
  #subscriptions: readonly Subscription[] = [];
  #following: Promise<unknown> = Promise.resolve();
  #failure: unknown;
  /** Changes that wait: until all nodes were read, or until it is known which changes count. */
  #waiting: EtcdResponse[] | undefined = [];
  /** Index after which changes do not count. */
  #end = Number.POSITIVE_INFINITY;
  #writing: Promise<void> | undefined;

  /** @param kept where they are stored for the next switch */
  constructor(
    { source, tops, first, before }: KeeperSource,
    kept: Pick<KeptIndexes, "below" | "write">,
    signal: AbortSignal | undefined,
  ) {
    this.#source = source;
    this.#kept = kept;
    this.#tops = tops;
    this.#first = first;
    this.#before = before;
    this.#signal = signal;
  }

  /** Writes the indexes of all nodes, and follows changes from then on. */
  async start(): Promise<void> {
    const { keySpace, clock } = this.#source;
    const call = { signal: this.#signal };
    const request = { recursive: true, from: "now", state: "none" } as const;
    const limits = { bufferSize: 10_000, pollInterval: POLL_INTERVAL_MS };
    this.#subscriptions = this.#tops.map((key) =>
      keySpace.subscribe({ key, ...request, ...limits }, call),
    );
    this.#following = Promise.all(this.#subscriptions.map((each) => this.#follow(each)));
    await Promise.all(this.#subscriptions.map(({ opened }) => opened));
    const read = (from: Pick<KeptIndexes, "below">) =>
      withRetries(clock, this.#signal, () => from.below("", this.#signal));
    this.#shownBefore = await read(this.#before);
    this.#written = new Map(await read(this.#kept));
    for await (const { differences } of compareTrees(keySpace, undefined, this.#tops, {
      ...call,
      clock,
    })) {
      for (const each of differences) if (each.kind === "missing") this.#add(each.entry);
    }
    this.#applyWaiting();
    for (const path of this.#written.keys()) if (!this.#nodes.has(path)) this.#changed.add(path);
    await this.finish();
  }

  /** Until {@link endAt}, changes wait, and nothing is written. */
  async hold(): Promise<void> {
    this.#waiting ??= [];
    await this.#writing;
  }

  /** Applies the changes up to an index, and none after it. @throws CutoverError when changes are missing */
  async endAt(index: number): Promise<void> {
    const call = { signal: this.#signal };
    try {
      await Promise.all(this.#subscriptions.map((each) => each.reached(index, call)));
    } catch (error) {
      throw this.#failure ?? error;
    }
    if (this.#failure !== undefined) throw this.#failure;
    this.#end = index;
    this.#applyWaiting();
  }

  /** Nodes with a TTL, as they are after the end: a refresh causes no event. */
  addLeased(entries: readonly TreeEntry[]): void {
    for (const entry of entries) {
      if (entry.modifiedIndex <= this.#end) this.#add(entry);
      else this.#remove(entry.key);
    }
  }

  /** Writes what has changed since the last time. One write at a time: a later one must not be overtaken. */
  async finish(): Promise<void> {
    await this.#writing;
    this.#startWriting();
    await this.#writing;
    if (this.#failure !== undefined) throw this.#failure;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const subscription of this.#subscriptions) subscription.close();
    await this.#following;
    await this.#writing;
  }

  async #follow(subscription: Subscription): Promise<void> {
    try {
      for await (const item of subscription) {
        if (item.type === "resync") {
          throw new CutoverError("changes were discarded that were not read yet; run it again");
        }
        for (const change of item.changes) {
          if (this.#waiting === undefined) this.#apply(change);
          else this.#waiting.push(change);
        }
        if (this.#waiting === undefined && this.#changed.size >= MANY) this.#startWriting();
      }
    } catch (error) {
      this.#failure ??= error;
      for (const each of this.#subscriptions) each.close();
    }
  }

  /** In the order of their indexes: they come from several subscriptions. */
  #applyWaiting(): void {
    const waiting = this.#waiting ?? [];
    waiting.sort((a, b) => a.node.modifiedIndex - b.node.modifiedIndex);
    this.#waiting = undefined;
    for (const change of waiting) this.#apply(change);
  }

  #apply({ action, node, prevNode }: EtcdResponse): void {
    const { key, modifiedIndex } = node;
    if (modifiedIndex > this.#end) return;
    if (isRemoval(action)) {
      const isDirectory = node.dir === true || prevNode?.dir === true;
      for (const path of isDirectory ? [key, ...this.#nodes.below(key)] : [key]) {
        if ((this.#nodes.get(path)?.modifiedIndex ?? Infinity) < modifiedIndex) {
          this.#remove(path);
        }
      }
      return;
    }
    this.#add(node);
    // Directories above it that were created with it have no event.
    for (let path = parentPath(key); path !== ""; path = parentPath(path)) {
      if (this.#nodes.has(path)) continue;
      this.#add({ key: path, modifiedIndex, createdIndex: modifiedIndex });
    }
  }

  #remove(path: string): void {
    if (this.#nodes.delete(path)) this.#changed.add(path);
  }

  #add({ key, modifiedIndex, createdIndex }: NodeIndexes & { readonly key: string }): void {
    if ((this.#nodes.get(key)?.modifiedIndex ?? 0) >= modifiedIndex) return;
    this.#nodes.set(key, { modifiedIndex, createdIndex });
    this.#changed.add(key);
  }

  /** Never rejects: `#failure` says what has happened. */
  #startWriting(): void {
    this.#writing ??= this.#write()
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => {
        this.#writing = undefined;
      });
  }

  async #write(): Promise<void> {
    const paths = [...this.#changed].filter((path) => !this.#isWritten(path));
    this.#changed.clear();
    const batches = Array.from({ length: Math.ceil(paths.length / BATCH) }, (_, at) =>
      paths.slice(at * BATCH, (at + 1) * BATCH).map((path) => [path, this.#shown(path)] as const),
    );
    const { clock } = this.#source;
    await forEachConcurrent(batches, MAX_CONCURRENT_WRITES, async (batch) => {
      await withRetries(clock, this.#signal, () => this.#kept.write(batch, this.#signal));
      for (const [path, indexes] of batch) {
        if (indexes === undefined) this.#written.delete(path);
        else this.#written.set(path, indexes);
      }
    });
  }

  #isWritten(path: string): boolean {
    const [now, before] = [this.#shown(path), this.#written.get(path)];
    return (
      before?.modifiedIndex === now?.modifiedIndex && before?.createdIndex === now?.createdIndex
    );
  }

  /** The indexes that clients see; `undefined`: the node does not exist. */
  #shown(path: string): NodeIndexes | undefined {
    const node = this.#nodes.get(path);
    return node && shownIndexes(node, this.#shownBefore.get(path), this.#first);
  }
}
