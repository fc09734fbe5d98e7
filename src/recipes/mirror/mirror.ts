import { EventEmitter, setMaxListeners } from "node:events";
import { inspect } from "node:util";
import { AbortError } from "../../errors/abort-error.js";
import { InvalidValueError } from "../../errors/invalid-value-error.js";
import { OptionError } from "../../errors/option-error.js";
import type { CallOptions } from "../../key-space/call-options.js";
import type { EtcdNode } from "../../model/node.js";
import { refuseUnknown } from "../../model/option-names.js";
import type { EtcdResponse } from "../../model/response.js";
import { checkKey } from "../../model/validate.js";
import type { WatchResync } from "../../model/watch-item.js";
import { IndexWaiters } from "../../stream/index-waiters.js";
import type { Clock } from "../../time/clock.js";
import { type LinkedSignal, linkSignals } from "../../time/link-signals.js";
import type { Watcher } from "../../watch/watcher.js";
import { emitError, emitSafely } from "../shared/emit-safely.js";
import { isWithin, withoutSlash } from "../shared/key-path.js";
import type { RecipeClient } from "../shared/recipe-client.js";
import type { MirrorChange, MirrorResync } from "./mirror-change.js";
import { differences } from "./mirror-difference.js";
import { MirrorFeed, type MirrorFeedHandler } from "./mirror-feed.js";
import { MIRROR_OPTIONS, type MirrorOptions } from "./mirror-options.js";
import { MirrorTree } from "./mirror-tree.js";

/** Events of a {@link Mirror}. */
export interface MirrorEvents {
  /** A node was created, written or removed after the first load. */
  change: [MirrorChange];
  /** The complete tree was read, including the first time. */
  resync: [MirrorResync];
  /** A load failed and is retried, or a listener threw. */
  error: [Error];
}

/**
 * A live copy in memory of a key and everything below it.
 *
 * The constructor starts the load. After `ready`, the copy shows the subtree at one index. Each event
 * advances the index and is applied atomically, even if it removes a directory with thousands of
 * keys. When events were lost, the old copy stays readable until the tree was read again, and only
 * the differences are reported. After a failure, `error` is emitted and the mirror retries without
 * limit; `staleFor` says how old the copy may be. The mirror ends with its client.
 *
 * As in every watch of a directory, hidden keys below the mirrored one (`_…`) are missing, and so is
 * a directory that contains only hidden keys. A refresh of a TTL causes no event: `expiration`, `ttl`
 * and `modifiedIndex` of a refreshed node are those of its last write. A directory that a write
 * created implicitly has the index of that write.
 *
 * Events: `change` for every node that is created, written or removed after the first load; `resync`
 * when the complete tree was read, including the first time; `error`. Listeners are called one after
 * the other after the copy has changed. If one throws, the others are still called, and its error is
 * emitted as `error`. An error without a listener becomes a process warning.
 *
 * @example
 * const mirror = etcd.mirror("/services");
 * await mirror.ready;
 * console.log(mirror.value("/services/mail/port", Number));
 */
export class Mirror extends EventEmitter<MirrorEvents> implements AsyncDisposable {
  /** The mirrored key, without a trailing slash. */
  readonly key: string;
  /**
   * Resolves after the first load. If the key does not exist, the mirror is empty. Rejects with the
   * error of the first attempt; the mirror still retries. Rejects with `AbortError` when the mirror
   * ends before the first load.
   */
  readonly ready: Promise<void>;
  readonly #clock: Clock;
  readonly #life: LinkedSignal;
  readonly #waiters: IndexWaiters;
  readonly #feed: MirrorFeed;
  readonly #ended: Promise<void>;
  #settleReady: (failure?: Error) => void = () => {};
  #tree: MirrorTree | undefined;
  #clusterId: string | undefined;
  #index = 0;

  /** @throws TypeError for an invalid key or option */
  constructor(etcd: RecipeClient, key: string, options: MirrorOptions = {}) {
    super();
    checkKey(key);
    refuseUnknown(options, MIRROR_OPTIONS);
    setMaxListeners(0, this);
    this.key = withoutSlash(key);
    this.#clock = etcd.clock;
    this.#waiters = new IndexWaiters(`waiting for the mirror of ${this.key}`);
    this.#life = linkSignals(options.signal, etcd.closed);
    const { signal } = this.#life;
    const watch = { ...options, recursive: true, initial: true, signal };
    try {
      const open = (): Watcher => etcd.watch(this.key, watch);
      this.#feed = new MirrorFeed(open, this.#clock, signal, this.#feedHandler);
    } catch (error) {
      this.#life.unlink();
      throw error;
    }
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = (failure) => (failure === undefined ? resolve() : reject(failure));
    });
    // The failure is also emitted as `error`, so an unused `ready` must not end the process.
    this.ready.catch(() => {});
    this.#ended = this.#feed.run().then(() => this.#end(), this.#end);
  }

  /**
   * Index at which the copy is equal to the state of etcd; 0 before `ready`. It advances with each
   * change. While the subtree is quiet, it advances to each index that is proven to change nothing.
   */
  get index(): number {
    return this.#index;
  }

  /**
   * Milliseconds. The copy is proven to contain everything that etcd committed longer ago than this.
   * Before the first load, the time since the start.
   */
  get staleFor(): number {
    return this.#clock.monotonic() - this.#feed.currentAt;
  }

  /**
   * A file, or a directory (without `nodes`: see {@link list}); `undefined` when the key does not
   * exist. It is the object of the mirror. Do not modify it.
   *
   * @throws TypeError for a key outside the mirrored one, and before the first load
   */
  get(key: string): EtcdNode | undefined {
    return this.#tree?.get(key) ?? this.#getNormalized(key);
  }

  /** Whether the key exists. @throws TypeError as {@link get} */
  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  /**
   * The children of a directory, in the order of the keys' code points; empty for a file, and when
   * the key does not exist.
   *
   * @throws TypeError as {@link get}
   */
  list(key: string): readonly EtcdNode[] {
    const node = this.get(key);
    return node === undefined ? [] : this.#loaded.list(node.key);
  }

  /**
   * The value of a file, or the result of `parse`; `undefined` for a directory and when the key does
   * not exist.
   *
   * @throws InvalidValueError when `parse` throws; `cause` is the thrown error
   * @throws TypeError as {@link get}
   */
  value(key: string): string | undefined;
  value<T>(key: string, parse: (text: string) => T): T | undefined;
  value(key: string, parse: (text: string) => unknown = (text) => text): unknown {
    const text = this.get(key)?.value;
    if (text === undefined) return undefined;
    try {
      return parse(text);
    } catch (error) {
      throw InvalidValueError.because(key, "parsed", error);
    }
  }

  /**
   * All nodes as they are now, the mirrored one first: directories before their children, children in
   * the order of the keys' code points. Changes during the iteration are not visible.
   *
   * @throws TypeError before the first load
   */
  [Symbol.iterator](): IterableIterator<EtcdNode> {
    return this.#loaded.walk()[Symbol.iterator]();
  }

  /**
   * Resolves when the copy contains everything up to an index, for example that of an own write. If
   * that write changed nothing in the mirrored subtree, the watch first proves that, which can take a
   * second or two.
   *
   * @throws AbortError when the signal aborts, when the mirror ends, and when another cluster
   *   responds, where the index has no meaning
   */
  async waitFor(index: number, options: CallOptions = {}): Promise<void> {
    refuseUnknown(options, { signal: true });
    if (!Number.isSafeInteger(index) || index < 0) {
      throw new OptionError("index", `must be an index of etcd, not ${inspect(index)}`);
    }
    if (this.#tree !== undefined && index <= this.#index) return;
    const reached = this.#waiters.add(index, options.signal);
    if (this.#life.signal.aborted)
      this.#waiters.rejectAll(this.#waiters.abortError(this.#life.signal.reason));
    const settled = new AbortController();
    void this.#prove(index, settled.signal);
    try {
      await reached;
    } finally {
      settled.abort();
    }
  }

  /** Makes the watch prove that the copy contains everything up to an index. */
  async #prove(index: number, signal: AbortSignal): Promise<void> {
    const isProven = await this.#feed.reached(index, signal);
    if (isProven && this.#tree !== undefined) this.#advance(this.#feed.index);
  }

  /** Stops following etcd; the copy stays as it is. Resolves when all requests have ended. */
  close(): Promise<void> {
    this.#life.abort(new Error("the mirror was closed"));
    return this.#ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #loaded(): MirrorTree {
    if (this.#tree !== undefined) return this.#tree;
    throw new TypeError(`the mirror of ${this.key} is not loaded yet; await its "ready" first`);
  }

  /** Second lookup for a key that was not found. Most such keys do not exist. */
  #getNormalized(key: string): EtcdNode | undefined {
    if (!isWithin(key, this.key)) {
      throw new OptionError("key", `"${key}" is not within the mirrored key ${this.key}`);
    }
    return this.#loaded.get(withoutSlash(key));
  }

  readonly #feedHandler: MirrorFeedHandler = {
    onItem: (item) => {
      const changes = item.type === "change" ? this.#apply(item.response) : this.#replace(item);
      this.#advance(this.#feed.index);
      for (const change of changes) this.#emit("change", change);
      if (item.type === "resync") this.#emit("resync", { reason: item.reason, index: item.index });
    },
    onError: (error) => {
      this.#settleReady(error);
      emitError(this, error);
    },
  };

  #apply(response: EtcdResponse): readonly MirrorChange[] {
    const changes = this.#loaded.apply(response);
    this.#advance(response.node.modifiedIndex);
    return changes;
  }

  /** The first load reports no changes, because there is no copy to compare with. */
  #replace(resync: WatchResync): readonly MirrorChange[] {
    const former = this.#tree;
    if (former !== undefined && this.#hasOtherHistory(resync)) this.#forgetIndex();
    const tree = new MirrorTree(this.key, resync.response?.node);
    this.#tree = tree;
    this.#clusterId = resync.etcdClusterId;
    this.#settleReady();
    this.#advance(resync.index);
    const isObserved = former !== undefined && this.listenerCount("change") > 0;
    return isObserved ? differences(former, tree) : [];
  }

  /** Whether the state is of another cluster, or of this one after it was restored from a backup. */
  #hasOtherHistory({ reason, etcdClusterId, index }: WatchResync): boolean {
    return reason === "cluster-changed" || etcdClusterId !== this.#clusterId || index < this.#index;
  }

  #forgetIndex(): void {
    const reason = new Error("another cluster responds, where the index has no meaning");
    this.#waiters.rejectAll(this.#waiters.abortError(reason));
    this.#index = 0;
  }

  #advance(index: number): void {
    if (index > this.#index) this.#index = index;
    this.#waiters.resolveUpTo(this.#index);
  }

  /** Emits nothing after the mirror has ended. */
  #emit<E extends "change" | "resync">(event: E, what: MirrorEvents[E][0]): void {
    if (!this.#life.signal.aborted) emitSafely(this, event, what);
  }

  /** If the watch ends by itself, the mirror ends as by `close()`, and emits an error. */
  readonly #end = (failure: unknown = new Error("the watch has ended")): void => {
    const { signal } = this.#life;
    if (!signal.aborted) emitError(this, failure);
    this.#life.abort(failure);
    this.#waiters.rejectAll(this.#waiters.abortError(signal.reason));
    this.#settleReady(new AbortError(`loading the mirror of ${this.key}`, signal.reason, "none"));
  };
}
