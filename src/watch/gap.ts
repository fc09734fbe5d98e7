import type { KeyWatch } from "../key-space/key-space.js";
import type { EtcdResponse } from "../model/response.js";
import type { Clock } from "../time/clock.js";
import { follow } from "../time/follow.js";
import { sleep } from "../time/sleep.js";
import { HistoryPoll } from "./history-poll.js";
import type { LiveStream } from "./live-stream.js";
import type { Position } from "./position.js";

/** Milliseconds after which a poll that has something to tell has mostly done so. */
const PROMPT = 10;
/** Milliseconds of a poll's silence that prove that history owes nothing. */
const PROOF = 1_000;
/** Milliseconds in which a poll must tell what a stream has told already. */
const PATIENCE = 5_000;
/** Indexes for which one poll after another asks: of two that begin side by side, many tell the same. */
const STRETCH = 8;
/** Polls at a time. */
const MAX_WIDTH = 16;

/** Why polls are aborted that nobody waits for any more. */
const OVER = new Error("the gap is filled");

/** What a poll has done: told something, or proven that nothing is owed, or ended too early. */
type PollEnd = "told" | "silence" | "cut";

/** Who follows a key, and what it has come to. */
export interface Pursuer {
  readonly position: Position;
  readonly clock: Clock;
  /** Opens a long poll. */
  poll(since: number, signal: AbortSignal): Promise<KeyWatch>;
  /** Takes an event, new or not, of a watch that was opened at an index. */
  take(event: EtcdResponse, openedAt: number): void;
}

/**
 * What is owed before the beginning of a stream, fetched from history. A poll tells one event, and a
 * store in a hurry forgets faster than one poll after another is answered: several stretches of
 * indexes are asked for at a time, each by one poll after another. Their answers are taken in order,
 * so that a poll always begins at or below what is owed, and all between that and its event was
 * nothing.
 */
export class Gap {
  readonly #pursuer: Pursuer;
  readonly #stream: LiveStream;
  readonly #closing = new AbortController();
  /** Under way or answered, ordered by where they begin. */
  readonly #polls: HistoryPoll[] = [];
  /** The first index that no poll covers. */
  #uncovered = 0;
  /** Grows with what is found, so that a thousand quiet watches are not so many times as many. */
  #width = 1;

  constructor(pursuer: Pursuer, stream: LiveStream) {
    this.#pursuer = pursuer;
    this.#stream = stream;
  }

  /** @returns whether all of it came, or is proven not to be owed */
  async fetch(signal: AbortSignal): Promise<boolean> {
    const either = follow(signal, this.#closing.signal);
    try {
      while (this.#isOwed) {
        const end = await this.#takeNext(either.signal);
        if (end !== "told") return end === "silence";
      }
      return true;
    } finally {
      this.close();
      either.letGo();
    }
  }

  /** Gives up what is under way. */
  close(): void {
    this.#closing.abort(OVER);
  }

  get #isOwed(): boolean {
    return this.#pursuer.position.owes(this.#stream.etcdIndex);
  }

  async #takeNext(signal: AbortSignal): Promise<PollEnd> {
    this.#openPolls(signal);
    const poll = this.#polls.shift();
    if (poll === undefined) return "cut";
    try {
      const end = await this.#endOf(poll, signal);
      if (end === "told") this.#take(poll);
      return this.#isPassed(poll) ? "told" : end;
    } catch (error) {
      if (this.#isPassed(poll)) return "told";
      throw error;
    }
  }

  async #endOf(poll: HistoryPoll, signal: AbortSignal): Promise<PollEnd> {
    if (poll.hasEnded) return await poll.end;
    const watch = await poll.watch;
    const over = new AbortController();
    const silence = this.#proveSilence(poll, watch, signal, over.signal);
    try {
      return await Promise.race([poll.end, silence.catch(() => "cut" as const)]);
    } finally {
      over.abort(OVER);
    }
  }

  #openPolls(signal: AbortSignal): void {
    const { position } = this.#pursuer;
    this.#uncovered = Math.max(this.#uncovered, position.since ?? 0);
    let underWay = this.#polls.filter(({ hasEnded }) => !hasEnded).length;
    for (; underWay < this.#width && this.#uncovered <= this.#stream.etcdIndex; underWay++) {
      const since = this.#uncovered;
      this.#uncovered += STRETCH;
      this.#polls.push(this.#open(since, this.#uncovered - 1, signal));
    }
  }

  /** Opens a poll, after whose answer the next one asks for the rest of the stretch. */
  #open(since: number, until: number, signal: AbortSignal): HistoryPoll {
    const watch = this.#pursuer.poll(since, signal);
    const poll = new HistoryPoll(since, until, watch, (told) => {
      this.#uncovered = Math.max(this.#uncovered, told + 1);
      const place = this.#polls.indexOf(poll) + 1;
      if (told < until) this.#polls.splice(place, 0, this.#open(told + 1, until, signal));
    });
    return poll;
  }

  /** Whether all that it stands for came, if need be another way. */
  #isPassed({ until }: HistoryPoll): boolean {
    return !this.#pursuer.position.owes(until);
  }

  #take({ events, openedAt, toldIndex }: HistoryPoll): void {
    const { position } = this.#pursuer;
    for (const event of events) this.#pursuer.take(event, openedAt);
    if (position.since === toldIndex) position.completeIndex();
    this.#width = Math.min(2 * this.#width, MAX_WIDTH);
  }

  /**
   * Waits until a poll was silent for so long that it owes nothing. Its member may have been behind
   * when it was opened, but not after a probe.
   */
  async #proveSilence(
    poll: HistoryPoll,
    watch: KeyWatch,
    signal: AbortSignal,
    over: AbortSignal,
  ): Promise<"silence" | "cut"> {
    const { clock } = this.#pursuer;
    await sleep(PROMPT, clock, over);
    await watch.probe({ signal });
    await sleep(PROOF, clock, over);
    if (this.#stream.waiting === 0 && poll.events.length === 0) return "silence";
    await sleep(PATIENCE, clock, over);
    return "cut";
  }
}
