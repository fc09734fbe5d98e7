import { BackOff } from "../../../time/back-off.js";
import type { Clock } from "../../../time/clock.js";
import { sleep } from "../../../time/sleep.js";
import { isRepairable } from "../../../watch/repairable.js";
import type { KeyRange } from "../key-layout.js";
import type { V3Api, V3Call } from "../v3-api.js";
import type { V3Header } from "../v3-json.js";
import { type Revision, RevisionStream } from "./revision-stream.js";

/** Whom a feed tells. */
export interface FeedListener {
  /** Revision from which the feed is to go on. */
  readonly next: number;
  /** A watch stands. `wasQuiet`: the one before was given up because nothing came. */
  stands(header: V3Header, wasQuiet: boolean): void;
  /** Revisions in their order; all up to `upTo` were told then. */
  take(revisions: readonly Revision[], upTo: number): Promise<void>;
}

/** Milliseconds after which a watch has stood long enough to be opened again without delay. */
const LONG = 10_000;
/** Milliseconds without a watch after which those who wait are told. */
const PATIENCE = 10_000;

/**
 * Watches a range as long as it is let: a watch that breaks is opened again at any member, at the
 * revision where it broke; so is one on which nothing came for a while, as its connection may be
 * dead.
 */
export class RevisionFeed {
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
    let backOff = BackOff.none;
    let stoodAt = Number.NEGATIVE_INFINITY;
    for (let wasQuiet = false; ; ) {
      const openedAt = this.#clock.monotonic();
      try {
        wasQuiet = await this.#watch(listener, wasQuiet, call, () => {
          stoodAt = this.#clock.monotonic();
        });
      } catch (error) {
        const isLost = this.#clock.monotonic() - stoodAt > PATIENCE;
        if (isLost || !isRepairable(error)) throw error;
        wasQuiet = false;
      }
      if (this.#clock.monotonic() - openedAt > LONG) backOff = BackOff.none;
      if (wasQuiet) continue;
      await sleep(backOff.delay(), this.#clock, signal);
      backOff = backOff.next();
    }
  }

  /** @returns whether it was given up because nothing came */
  async #watch(
    listener: FeedListener,
    wasQuiet: boolean,
    call: V3Call,
    onContact: () => void,
  ): Promise<boolean> {
    const stream = await RevisionStream.open(this.#api, this.#range, listener.next, call);
    try {
      onContact();
      listener.stands(stream.header, wasQuiet);
      return await this.#read(stream, listener, call);
    } finally {
      onContact();
      stream.close();
    }
  }

  /** @returns whether it was given up because nothing came */
  async #read(stream: RevisionStream, listener: FeedListener, call: V3Call): Promise<boolean> {
    for (;;) {
      let isQuiet = false;
      const cancel = this.#clock.after(this.#pollInterval, () => {
        isQuiet = true;
        stream.close();
      });
      const news = await stream.next(call).finally(cancel);
      if (news === undefined) return isQuiet;
      await listener.take(news.revisions, news.upTo);
    }
  }
}

const CALL: V3Call = { operation: "GET /?wait=true", key: "/", safety: "read", scope: "local" };
