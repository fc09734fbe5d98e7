import { EventEmitter, setMaxListeners } from "node:events";
import { inspect } from "node:util";
import { AbortError } from "../../errors/abort-error.js";
import { InvalidValueError } from "../../errors/invalid-value-error.js";
import type { CallOptions } from "../../key-space/key-space.js";
import type { EtcdNode } from "../../model/node.js";
import { refuseUnknown } from "../../model/option-names.js";
import type { EtcdResponse } from "../../model/response.js";
import { checkKey } from "../../model/validate.js";
import type { WatchResync } from "../../model/watch-item.js";
import type { Clock } from "../../time/clock.js";
import { type LinkedSignal, linkSignals } from "../../time/follow.js";
import type { Watcher } from "../../watch/watcher.js";
import { emitError, emitSafely } from "../shared/emit-safely.js";
import { isWithin, withoutSlash } from "../shared/key-path.js";
import type { RecipeClient } from "../shared/recipe-client.js";
import type { MirrorChange, MirrorResync } from "./mirror-change.js";
import { differences } from "./mirror-difference.js";
import { type Fed, MirrorFeed } from "./mirror-feed.js";
import { MIRROR_OPTIONS, type MirrorOptions } from "./mirror-options.js";
import { MirrorTree } from "./mirror-tree.js";
import { MirrorWaiters } from "./mirror-waiters.js";

interface MirrorEvents {
  change: [MirrorChange];
  resync: [MirrorResync];
  error: [Error];
}

/**
 * A live copy of a key and all below it, read at the speed of memory.
 *
 * It begins to load when it is made, and from `ready` on shows the subtree as it was at one index,
 * which moves on with each event: an event is carried out whole before anybody sees it, also one
 * that removes a directory of thousands. When events were missed, the copy is served as it was until
 * it has been read anew, and just the differences are told. What fails is told as `error` and tried
 * again, for ever; `staleFor` says how old the copy may be. It ends with its client.
 *
 * As with every watch of a directory, hidden keys below the mirrored one (`_…`) are not in it, nor
 * is a directory that was only made for them. A refresh of a TTL is silent: `expiration`, `ttl` and
 * `modifiedIndex` of a refreshed node are those of its last real write. A directory that a write made
 * on its way has that write's index.
 *
 * Events: `change` for every node that is made, written or gone, after the first load; `resync` when
 * the whole was read, the first time included; `error`. Listeners are called one after the other
 * once the copy has changed. One that throws hinders nobody: what it threw is an `error`. An error
 * that nobody listens for is a warning of the process.
 */
export class Mirror extends EventEmitter<MirrorEvents> implements AsyncDisposable {
  /** The mirrored key, without a trailing slash. */
  readonly key: string;
  /**
   * The first load: also of a key that does not exist, which makes an empty mirror. Rejects when the
   * first attempt fails, with what it failed with; others follow all the same. Rejects with
   * `AbortError` when the mirror ends before.
   */
  readonly ready: Promise<void>;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  readonly #life: LinkedSignal;
  readonly #waiters: MirrorWaiters;
  readonly #feed: MirrorFeed;
  readonly #ended: Promise<void>;
  #settleReady: (failure?: Error) => void = () => {};
  #tree: MirrorTree | undefined;
  #clusterId: string | undefined;
  #index = 0;

  /** @throws TypeError for a key or an option that makes no sense */
  constructor(etcd: RecipeClient, key: string, options: MirrorOptions = {}) {
    super();
    checkKey(key);
    refuseUnknown(options, MIRROR_OPTIONS);
    setMaxListeners(0, this);
    this.key = withoutSlash(key);
    this.#clock = etcd.clock;
    this.#waiters = new MirrorWaiters(`waiting for the mirror of ${this.key}`, etcd.clock, () => {
      if (this.#tree !== undefined) this.#advance(this.#feed.index);
      return this.#index;
    });
    this.#life = linkSignals(options.signal, etcd.closed, this.#closing.signal);
    const { signal } = this.#life;
    const watch = { ...options, recursive: true, initial: true, signal };
    try {
      const open = (): Watcher => etcd.watch(this.key, watch);
      this.#feed = new MirrorFeed(open, this.#clock, signal, this.#fed);
    } catch (error) {
      this.#life.unlink();
      throw error;
    }
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = (failure) => (failure === undefined ? resolve() : reject(failure));
    });
    // The same is told as an error: nobody has to wait for it.
    this.ready.catch(() => {});
    this.#ended = this.#feed.run().then(() => this.#end(), this.#end);
  }

  /**
   * Index at which the copy is the state of etcd; 0 before `ready`. It moves with each change, and
   * while the subtree is quiet, as far as etcd is known to have moved without touching it.
   */
  get index(): number {
    return this.#index;
  }

  /**
   * Milliseconds: everything that etcd committed longer ago is proven to be in the copy. Before the first
   * load, the time since the start.
   */
  get staleFor(): number {
    return this.#clock.monotonic() - this.#feed.contactAt;
  }

  /**
   * A file, or a directory (without `nodes`: see {@link list}); `undefined` when there is no such key.
   * It is the mirror's own object: not for changing.
   *
   * @throws TypeError for a key outside the mirrored one, and before the first load
   */
  get(key: string): EtcdNode | undefined {
    return this.#tree?.get(key) ?? this.#lookAgain(key);
  }

  /** Whether there is a file or directory of that key. @throws TypeError as {@link get} */
  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  /**
   * What is in a directory, in the order of the keys' code points; empty for a file, and when there
   * is no such key.
   *
   * @throws TypeError as {@link get}
   */
  list(key: string): readonly EtcdNode[] {
    const node = this.get(key);
    return node === undefined ? [] : this.#loaded.list(node.key);
  }

  /**
   * The content of a file, or what `parse` makes of it; `undefined` for a directory and when there
   * is no such key.
   *
   * @throws InvalidValueError when `parse` throws, which is its `cause`
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
   * All nodes as they are now, the mirrored one first: directories before what is in them, and that
   * in the order of the keys' code points. What changes meanwhile is not seen.
   *
   * @throws TypeError before the first load
   */
  [Symbol.iterator](): IterableIterator<EtcdNode> {
    return this.#loaded.walk()[Symbol.iterator]();
  }

  /**
   * Resolves when the copy holds everything up to an index, such as that of one's own write. If that
   * changed nothing in the mirrored subtree, this may take until the watch next asks how far etcd is.
   *
   * @throws AbortError when the signal aborts, when the mirror ends, and when another cluster
   *   answers, in which the index means nothing
   */
  async waitFor(index: number, options: CallOptions = {}): Promise<void> {
    refuseUnknown(options, ["signal"]);
    if (!Number.isSafeInteger(index) || index < 0) {
      throw new TypeError(`index: must be an index of etcd, not ${inspect(index)}`);
    }
    if (this.#tree !== undefined && index <= this.#index) return;
    const reached = this.#waiters.add(index, options.signal);
    if (this.#life.signal.aborted) this.#waiters.giveUp(this.#life.signal.reason);
    await reached;
  }

  /** Ends following; the copy stays as it is. Resolves when nothing is under way any more. */
  close(): Promise<void> {
    this.#closing.abort(new Error("the mirror was closed"));
    return this.#ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #loaded(): MirrorTree {
    if (this.#tree !== undefined) return this.#tree;
    throw new TypeError(`the mirror of ${this.key} is not loaded yet; await its "ready" first`);
  }

  /** For a key that was not found as it is: most are just not there. */
  #lookAgain(key: string): EtcdNode | undefined {
    if (!isWithin(key, this.key)) {
      throw new TypeError(`key: "${key}" is not within ${this.key}, which is what is mirrored`);
    }
    return this.#loaded.get(withoutSlash(key));
  }

  readonly #fed: Fed = {
    take: (item) => {
      const changes = item.type === "change" ? this.#apply(item.response) : this.#replace(item);
      this.#advance(this.#feed.index);
      for (const change of changes) this.#emit("change", change);
      if (item.type === "resync") this.#emit("resync", { reason: item.reason, index: item.index });
    },
    fail: (error) => {
      this.#settleReady(error);
      emitError(this, error);
    },
  };

  #apply(response: EtcdResponse): readonly MirrorChange[] {
    const changes = this.#loaded.apply(response);
    this.#advance(response.node.modifiedIndex);
    return changes;
  }

  /** The first load differs from nothing that anybody could have seen. */
  #replace(resync: WatchResync): readonly MirrorChange[] {
    const former = this.#tree;
    if (former !== undefined && this.#isOfOtherPast(resync)) this.#forgetIndex();
    const tree = new MirrorTree(this.key, resync.response?.node);
    this.#tree = tree;
    this.#clusterId = resync.etcdClusterId;
    this.#settleReady();
    this.#advance(resync.index);
    const isTold = former !== undefined && this.listenerCount("change") > 0;
    return isTold ? differences(former, tree) : [];
  }

  /** Another cluster, or this one as a backup had it. */
  #isOfOtherPast({ reason, etcdClusterId, index }: WatchResync): boolean {
    return reason === "cluster-changed" || etcdClusterId !== this.#clusterId || index < this.#index;
  }

  #forgetIndex(): void {
    this.#waiters.giveUp(new Error("another cluster answers, in which the index means nothing"));
    this.#index = 0;
  }

  #advance(index: number): void {
    if (index > this.#index) this.#index = index;
    this.#waiters.reach(this.#index);
  }

  /** Nothing is told any more once the mirror has ended. */
  #emit<E extends "change" | "resync">(event: E, what: MirrorEvents[E][0]): void {
    if (!this.#life.signal.aborted) emitSafely(this, event, what);
  }

  /** When the watch ends by itself, the mirror does as by `close()`, but not in silence. */
  readonly #end = (failure: unknown = new Error("the watch has ended")): void => {
    const { signal } = this.#life;
    if (!signal.aborted) emitError(this, failure);
    this.#closing.abort(failure);
    this.#life.unlink();
    this.#waiters.giveUp(signal.reason);
    this.#settleReady(new AbortError(`loading the mirror of ${this.key}`, signal.reason, "none"));
  };
}
