import { PartTooLongError } from "../../../cluster/exchange/body-decoder.js";
import type { ResponseHeader } from "../../../etcd3/rpcs.js";
import type { KeyRange } from "../../../etcd3/transaction.js";
import type { V3Api, V3Call } from "../../../etcd3/v3-api.js";
import type { Clock } from "../../../time/clock.js";
import { ReconnectPace } from "../../../time/reconnect-pace.js";
import { isRetryable } from "../../shared/is-retryable.js";
import { nextBeforeSilence } from "./next-before-silence.js";
import { RevisionStream, type Revisions } from "./revision-stream.js";

/** Receives the revisions of an {@link EtcdWatch}. */
export interface EtcdWatchListener {
  /** Revision from which the watch continues. */
  readonly next: number;
  /**
   * Called when a watch is established. `quiets`: number of consecutive watches before it that were
   * closed because they were silent.
   */
  established(header: ResponseHeader, quiets: number): Promise<void>;
  /** Called when a watch failed and will be opened again. */
  failed(error: Error): void;
  /** Takes the next revisions. */
  take(revisions: Revisions): Promise<void>;
}

/**
 * Number of times that the silence timeout is doubled while consecutive watches are silent: etcd
 * may need more time for a response, and each watch starts its work again.
 */
const MAX_DOUBLINGS = 2;

/** How a watch ended: it was silent, a message was too long, or another end. */
type WatchEnd = "silent" | "too long" | "ended";

/** Milliseconds without a watch after which waiting callers get the error. */
const UNAVAILABLE_MS = 10_000;

/**
 * Watches a range until it is aborted. A watch that breaks or is silent for too long (its
 * connection may be dead) is opened again at any member, at the revision where it ended.
 */
export class EtcdWatch {
  readonly #api: V3Api;
  readonly #range: KeyRange;
  readonly #clock: Clock;
  readonly #pollInterval: number;

  /** @param pollInterval milliseconds of silence after which the watch is opened again */
  constructor(api: V3Api, range: KeyRange, clock: Clock, pollInterval: number) {
    this.#api = api;
    this.#range = range;
    this.#clock = clock;
    this.#pollInterval = pollInterval;
  }

  /**
   * Runs until the signal aborts.
   *
   * @throws Compacted, AbortError, the errors of the listener, and ClusterUnavailableError or
   * similar when
   *   no member accepts the watch, at first or for a while
   */
  async run(listener: EtcdWatchListener, signal: AbortSignal): Promise<never> {
    const call: V3Call = { ...CALL, signal };
    const pace = new ReconnectPace(this.#clock);
    let contactAt = Number.NEGATIVE_INFINITY;
    for (let [end, quiets]: [WatchEnd, number] = ["ended", 0]; ; ) {
      pace.opens();
      const { next } = listener;
      try {
        end = await this.#watch(listener, { inFragments: end === "too long", quiets }, call, () => {
          contactAt = this.#clock.monotonic();
        });
      } catch (error) {
        const isLost = this.#clock.monotonic() - contactAt > UNAVAILABLE_MS;
        if (isLost || !isRetryable(error)) throw error;
        if (error instanceof Error) listener.failed(error);
        end = error instanceof PartTooLongError && end !== "too long" ? "too long" : "ended";
      }
      quiets = end !== "silent" ? 0 : listener.next > next ? 1 : quiets + 1;
      if (listener.next > next) pace.progress();
      if (end === "ended") await pace.pause(signal);
    }
  }

  async #watch(
    listener: EtcdWatchListener,
    { inFragments, quiets }: { readonly inFragments: boolean; readonly quiets: number },
    call: V3Call,
    onContact: () => void,
  ): Promise<WatchEnd> {
    const start = { from: listener.next, inFragments };
    const stream = await RevisionStream.open(this.#api, this.#range, start, call);
    try {
      onContact();
      await listener.established(stream.header, quiets);
      return await this.#read(stream, listener, quiets, call);
    } finally {
      onContact();
      stream.close();
    }
  }

  async #read(
    stream: RevisionStream,
    listener: EtcdWatchListener,
    quiets: number,
    call: V3Call,
  ): Promise<WatchEnd> {
    let silenceTimeout = this.#pollInterval * 2 ** Math.min(Math.max(0, quiets - 1), MAX_DOUBLINGS);
    for (;;) {
      const revisions = await nextBeforeSilence(stream, silenceTimeout, this.#clock, call);
      silenceTimeout = this.#pollInterval;
      if (revisions === "silence") return "silent";
      if (revisions === undefined) return "ended";
      await listener.take(revisions);
      call.signal?.throwIfAborted();
    }
  }
}

const CALL: V3Call = { operation: "GET /?wait=true", key: "/", safety: "read", scope: "local" };
