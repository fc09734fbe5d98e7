import { PartTooLong } from "../../../cluster/exchange/body-decoder.js";
import type { KeyRange } from "../../../etcd3/transaction.js";
import type { V3Api, V3Call } from "../../../etcd3/v3-api.js";
import type { V3Header } from "../../../etcd3/v3-json.js";
import type { Clock } from "../../../time/clock.js";
import { ReconnectPace } from "../../../time/reconnect-pace.js";
import { isRetryable } from "../../shared/is-retryable.js";
import { nextBeforeSilence } from "./next-before-silence.js";
import { RevisionStream, type Revisions } from "./revision-stream.js";

/** Whom a feed tells. */
export interface FeedListener {
  /** Revision from which the feed is to go on. */
  readonly next: number;
  /** A watch stands. `quiets`: so many before it, in a row, were given up because nothing came. */
  stands(header: V3Header, quiets: number): Promise<void>;
  /** Takes what came. */
  take(news: Revisions): Promise<void>;
}

/**
 * How often the time of silence is doubled while watch after watch brings nothing: etcd may need longer
 * for an answer, and begins it anew with each watch.
 */
const DOUBLINGS = 2;

/** How a watch ended: nothing came on it, it is to be opened in fragments, or it ended otherwise. */
type End = "quiet" | "too long" | "ended";

/** Milliseconds without a watch after which those who wait are told. */
const PATIENCE = 10_000;

/**
 * Watches a range as long as it is let: a watch that breaks is opened again at any member, at the
 * revision where it broke; so is one on which nothing came for a while, as its connection may be
 * dead.
 */
export class EtcdWatch {
  readonly #api: V3Api;
  readonly #range: KeyRange;
  readonly #clock: Clock;
  readonly #pollInterval: number;

  /** @param pollInterval milliseconds of silence after which the watch is opened anew */
  constructor(api: V3Api, range: KeyRange, clock: Clock, pollInterval: number) {
    this.#api = api;
    this.#range = range;
    this.#clock = clock;
    this.#pollInterval = pollInterval;
  }

  /**
   * Runs until the signal aborts.
   *
   * @throws Compacted, ClusterUnavailableError and its like when no member takes the watch, at first
   *   or for a while, AbortError, and whatever the listener throws
   */
  async run(listener: FeedListener, signal: AbortSignal): Promise<never> {
    const call: V3Call = { ...CALL, signal };
    const pace = new ReconnectPace(this.#clock);
    let stoodAt = Number.NEGATIVE_INFINITY;
    for (let [end, quiets]: [End, number] = ["ended", 0]; ; ) {
      pace.opens();
      const { next } = listener;
      try {
        end = await this.#watch(listener, { inFragments: end === "too long", quiets }, call, () => {
          stoodAt = this.#clock.monotonic();
        });
      } catch (error) {
        const isLost = this.#clock.monotonic() - stoodAt > PATIENCE;
        if (isLost || !isRetryable(error)) throw error;
        end = error instanceof PartTooLong && end !== "too long" ? "too long" : "ended";
      }
      quiets = end !== "quiet" ? 0 : listener.next > next ? 1 : quiets + 1;
      if (listener.next > next) pace.progress();
      if (end === "ended") await pace.pause(signal);
    }
  }

  async #watch(
    listener: FeedListener,
    { inFragments, quiets }: { readonly inFragments: boolean; readonly quiets: number },
    call: V3Call,
    onContact: () => void,
  ): Promise<End> {
    const start = { from: listener.next, inFragments };
    const stream = await RevisionStream.open(this.#api, this.#range, start, call);
    try {
      onContact();
      await listener.stands(stream.header, quiets);
      return await this.#read(stream, listener, quiets, call);
    } finally {
      onContact();
      stream.close();
    }
  }

  async #read(
    stream: RevisionStream,
    listener: FeedListener,
    quiets: number,
    call: V3Call,
  ): Promise<End> {
    let patience = this.#pollInterval * 2 ** Math.min(Math.max(0, quiets - 1), DOUBLINGS);
    for (;;) {
      const news = await nextBeforeSilence(stream, patience, this.#clock, call);
      patience = this.#pollInterval;
      if (news === "silence") return "quiet";
      if (news === undefined) return "ended";
      await listener.take(news);
      call.signal?.throwIfAborted();
    }
  }
}

const CALL: V3Call = { operation: "GET /?wait=true", key: "/", safety: "read", scope: "local" };
