import { EtcdError } from "../../errors/etcd-error.js";
import { EtcdServerError } from "../../errors/server-error.js";
import type { GetRequest, KeyRequest, ScanRequest, WatchRequest } from "../../model/key-request.js";
import type { EtcdReceipt, EtcdResponse } from "../../model/response.js";
import { BackOff } from "../../time/back-off.js";
import type { Clock } from "../../time/clock.js";
import type { CallOptions, KeySpace, KeyWatch, Scan } from "../key-space.js";
import { withEvents } from "../shared/with-events.js";

/**
 * Milliseconds for which an answer is kept at most, counted from before it was asked for. A watch on a
 * dead connection tells nothing, so this is what bounds the age of an answer.
 */
export const MAX_AGE_MS = 5_000;
/** Answers that are kept at most; then the one that was used least recently is dropped. */
const CAPACITY = 1_000;
/** Characters of the longest request whose answer is kept: others choose the keys. */
const MAX_REQUEST_LENGTH = 1_000;

/** What a read gave: an answer, or etcd's refusal. */
interface Kept {
  readonly answer: Promise<EtcdResponse>;
  /** Monotonic time before it was asked for. */
  readonly since: number;
}

/**
 * A key space whose answers to plain reads are kept until anything in it changes, as its own watch
 * tells, or until they are {@link MAX_AGE_MS} old: for few keys that are read all the time. While the
 * watch does not stand only reads that are under way are shared. All plain reads are linearizable.
 * Hidden keys must not be in it, as their changes are not told.
 */
export class CachingKeySpace implements KeySpace {
  readonly #inner: KeySpace;
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();
  /** The watch by which everything kept is known to be as it was. */
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
  async execute(request: KeyRequest, options: CallOptions = {}): Promise<EtcdReceipt> {
    if (request.action === "get") return await this.#get(request, options);
    try {
      return await this.#inner.execute(request, options);
    } finally {
      this.#kept.clear();
    }
  }

  /** What is kept is dropped before an event is told: a reader that looks then sees the change. */
  async openWatch(request: WatchRequest, options?: CallOptions): Promise<KeyWatch> {
    const watch = await this.#inner.openWatch(request, options);
    return withEvents(watch, this.#eventsOf(watch));
  }

  scan(request: ScanRequest, options?: CallOptions): Promise<Scan> {
    return this.#inner.scan(request, options);
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#watch?.close();
    return this.#inner.close();
  }

  async *#eventsOf(watch: KeyWatch): AsyncGenerator<EtcdResponse, undefined, undefined> {
    for await (const event of watch) {
      this.#kept.clear();
      yield event;
    }
    return undefined;
  }

  #get(request: GetRequest, options: CallOptions): Promise<EtcdResponse> {
    if (request.quorum === true) return this.#inner.execute(request, options);
    const linearizable = { ...request, quorum: true };
    const id = JSON.stringify(request);
    if (this.#watch === undefined) void this.#open();
    if (id.length > MAX_REQUEST_LENGTH) return this.#inner.execute(linearizable, options);
    const kept = this.#kept.get(id);
    const now = this.#clock.monotonic();
    if (kept === undefined || now - kept.since >= MAX_AGE_MS) {
      return this.#keep(id, { answer: this.#inner.execute(linearizable), since: now });
    }
    // Moves it to the end, which is dropped last.
    this.#kept.delete(id);
    this.#kept.set(id, kept);
    return kept.answer;
  }

  #keep(id: string, kept: Kept): Promise<EtcdResponse> {
    this.#kept.delete(id);
    this.#kept.set(id, kept);
    if (this.#kept.size > CAPACITY) this.#dropOldest();
    const isWatched = this.#watch !== undefined;
    const drop = (): void => {
      if (this.#kept.get(id) === kept) this.#kept.delete(id);
    };
    kept.answer.then(
      () => isWatched || drop(),
      (error: unknown) => {
        const isAnswer = error instanceof EtcdServerError && error.index > 0;
        if (!isAnswer || !isWatched) drop();
      },
    );
    return kept.answer;
  }

  #dropOldest(): void {
    for (const oldest of this.#kept.keys()) {
      this.#kept.delete(oldest);
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
      for await (const _event of watch) this.#kept.clear();
      this.#backOff = BackOff.none;
    } catch (error) {
      if (!(error instanceof EtcdError) && !this.#closed) throw error;
      this.#backOff = this.#backOff.next();
    } finally {
      this.#opening = false;
      this.#watch = undefined;
      this.#kept.clear();
      this.#notBefore = this.#clock.monotonic() + this.#backOff.delay();
    }
  }
}
