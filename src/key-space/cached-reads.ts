import { EtcdError } from "../errors/etcd-error.js";
import { EtcdServerError } from "../errors/server-error.js";
import type { GetRequest, KeyRequest, ScanRequest, WatchRequest } from "../model/key-request.js";
import type { EtcdReceipt, EtcdResponse } from "../model/response.js";
import { BackOff } from "../time/back-off.js";
import type { Clock } from "../time/clock.js";
import type { CallOptions, KeySpace, KeyWatch, Scan } from "./key-space.js";

/** What a read gave: an answer, or etcd's refusal. */
type Kept = Promise<EtcdResponse>;

/**
 * A key space whose answers to plain reads are kept until anything in it changes, as its own watch
 * tells: for few keys that are read all the time. While the watch does not stand nothing is kept.
 * Hidden keys must not be in it, as their changes are not told.
 */
export class CachedReads implements KeySpace {
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

  openWatch(request: WatchRequest, options?: CallOptions): Promise<KeyWatch> {
    return this.#inner.openWatch(request, options);
  }

  scan(request: ScanRequest, options?: CallOptions): Promise<Scan> {
    return this.#inner.scan(request, options);
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#watch?.close();
    return this.#inner.close();
  }

  /** What is kept is read by agreement: a stale answer would never be noticed. */
  #get(request: GetRequest, options: CallOptions): Promise<EtcdResponse> {
    if (request.quorum === true) return this.#inner.execute(request, options);
    if (this.#watch === undefined) {
      void this.#open();
      return this.#inner.execute(request, options);
    }
    const id = JSON.stringify(request);
    return this.#kept.get(id) ?? this.#keep(id, this.#inner.execute({ ...request, quorum: true }));
  }

  #keep(id: string, answer: Kept): Kept {
    this.#kept.set(id, answer);
    answer.catch((error: unknown) => {
      const isAnswer = error instanceof EtcdServerError && error.index > 0;
      if (!isAnswer && this.#kept.get(id) === answer) this.#kept.delete(id);
    });
    return answer;
  }

  async #open(): Promise<void> {
    if (this.#opening || this.#closed || this.#clock.monotonic() < this.#notBefore) return;
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
