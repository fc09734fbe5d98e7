import { EtcdError } from "../../errors/etcd-error.js";
import { EtcdServerError } from "../../errors/server-error.js";
import type { GetRequest, KeyRequest, WatchRequest } from "../../model/key-request.js";
import type { EtcdReceipt, EtcdResponse } from "../../model/response.js";
import { BackOff } from "../../time/back-off.js";
import type { Clock } from "../../time/clock.js";
import type { CallOptions } from "../call-options.js";
import type { KeySpace, KeyWatch } from "../key-space.js";
import { mapSubscription } from "../shared/map-subscription.js";
import { WatchWithEvents } from "../shared/watch-decorator.js";
import type { SubscribeRequest, Subscription } from "../subscription.js";

/**
 * Maximum age of a cached response in milliseconds, counted from the time of the request. A watch
 * on a dead connection reports nothing, so only this bounds the age of a response.
 */
export const MAX_AGE_MS = 5_000;
/** Maximum number of cached responses; the least recently used one is dropped. */
const MAX_CACHED_READS = 1_000;
/** Maximum length of a cached request in characters. Clients choose the keys, so they could be long. */
const MAX_REQUEST_CHARS = 1_000;

/** The result of a read: a response, or a refusal of etcd. */
interface CachedRead {
  readonly response: Promise<EtcdResponse>;
  /** Monotonic time of the request. */
  readonly since: number;
}

/**
 * Caches the responses to plain reads until its own watch reports a change, or for {@link
 * MAX_AGE_MS}. It is meant for few keys that are read all the time. While the watch is not open,
 * only concurrent reads are shared. All plain reads become linearizable. The inner key space must
 * not contain hidden keys, because watches do not report their changes.
 */
export class CachingKeySpace implements KeySpace {
  readonly #inner: KeySpace;
  readonly #clock: Clock;
  readonly #cache = new Map<string, CachedRead>();
  /** The watch that invalidates the cache. */
  #watch: KeyWatch | undefined;
  #opening = false;
  #closed = false;
  #backOff = BackOff.none;
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(inner: KeySpace, clock: Clock) {
    this.#inner = inner;
    this.#clock = clock;
  }

  execute(
    request: KeyRequest & { readonly noValueOnSuccess: true },
    options?: CallOptions,
  ): Promise<EtcdReceipt>;
  execute(request: KeyRequest, options?: CallOptions): Promise<EtcdResponse>;
  execute(request: KeyRequest, options: CallOptions = {}): Promise<EtcdReceipt> {
    return request.action === "get" ? this.#get(request, options) : this.#write(request, options);
  }

  async #write(request: KeyRequest, options: CallOptions): Promise<EtcdReceipt> {
    try {
      return await this.#inner.execute(request, options);
    } finally {
      this.#cache.clear();
    }
  }

  /** Clears the cache before an event is delivered, so that its reader then reads the new state. */
  async openWatch(request: WatchRequest, options?: CallOptions): Promise<KeyWatch> {
    const watch = await this.#inner.openWatch(request, options);
    return new WatchWithEvents(watch, this.#eventsOf(watch));
  }

  /** Clears the cache before changes are delivered, so that their reader then reads the new state. */
  subscribe(request: SubscribeRequest, options?: CallOptions): Subscription {
    const subscription = this.#inner.subscribe(request, options);
    return mapSubscription(subscription, (item) => {
      this.#cache.clear();
      return item;
    });
  }

  /** Lets the next reads be new ones, because something may have changed that the watch has not reported yet. */
  forget(): void {
    this.#cache.clear();
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#watch?.close();
    return this.#inner.close();
  }

  async *#eventsOf(watch: KeyWatch): AsyncGenerator<EtcdResponse, undefined, undefined> {
    for await (const event of watch) {
      this.#cache.clear();
      yield event;
    }
    return undefined;
  }

  #get(request: GetRequest, options: CallOptions): Promise<EtcdResponse> {
    if (request.quorum === true) return this.#inner.execute(request, options);
    const id = idOf(request);
    if (this.#watch === undefined) void this.#open();
    if (id.length > MAX_REQUEST_CHARS) return this.#inner.execute(linearizable(request), options);
    const cached = this.#cache.get(id);
    const now = this.#clock.monotonic();
    if (cached === undefined || now - cached.since >= MAX_AGE_MS) {
      const response = this.#inner.execute(linearizable(request));
      return this.#store(id, { response, since: now });
    }
    // Moves the entry to the end, because the first entry is dropped first.
    this.#cache.delete(id);
    this.#cache.set(id, cached);
    return cached.response;
  }

  #store(id: string, cached: CachedRead): Promise<EtcdResponse> {
    this.#cache.delete(id);
    this.#cache.set(id, cached);
    if (this.#cache.size > MAX_CACHED_READS) this.#dropOldest();
    const isWatched = this.#watch !== undefined;
    const drop = (): void => {
      if (this.#cache.get(id) === cached) this.#cache.delete(id);
    };
    cached.response.then(
      () => isWatched || drop(),
      (error: unknown) => {
        const isRefusal = error instanceof EtcdServerError && error.index > 0;
        if (!isRefusal || !isWatched) drop();
      },
    );
    return cached.response;
  }

  #dropOldest(): void {
    for (const oldest of this.#cache.keys()) {
      this.#cache.delete(oldest);
      return;
    }
  }

  async #open(): Promise<void> {
    if (this.#watch !== undefined || this.#opening || this.#closed) return;
    if (this.#clock.monotonic() < this.#notBefore) return;
    this.#opening = true;
    try {
      const watch = await this.#inner.openWatch({ key: "/", recursive: true, stream: true });
      this.#watch = watch;
      this.#opening = false;
      for await (const _event of watch) this.#cache.clear();
      this.#backOff = BackOff.none;
    } catch (error) {
      if (!(error instanceof EtcdError) && !this.#closed) throw error;
      this.#backOff = this.#backOff.next();
    } finally {
      this.#opening = false;
      this.#watch = undefined;
      this.#cache.clear();
      this.#notBefore = this.#clock.monotonic() + this.#backOff.delay();
    }
  }
}

function linearizable(request: GetRequest): GetRequest {
  return { ...request, quorum: true };
}

/** Equal for equal requests. */
function idOf({ key, recursive = false, sorted = false }: GetRequest): string {
  return `${recursive} ${sorted} ${key}`;
}
