import type { KeySpace, KeyWatch } from "../key-space/key-space.js";
import type { AnswerOrigin, EtcdResponse } from "../model/response.js";
import type { Clock } from "../time/clock.js";
import { follow } from "../time/follow.js";
import { sleep } from "../time/sleep.js";
import { concerns } from "./concerns.js";
import type { ItemBuffer } from "./item-buffer.js";
import { LiveStream } from "./live-stream.js";
import { Position } from "./position.js";
import { ProbePace } from "./probe-pace.js";
import { readState } from "./read-state.js";
import type { WatchResync } from "./watch-item.js";

/** What a watch is told, complete. */
export interface WatchSettings {
  readonly key: string;
  readonly recursive: boolean;
  readonly from: number | undefined;
  readonly initial: boolean;
  /** Milliseconds. */
  readonly pollInterval: number;
  /** Items. */
  readonly bufferSize: number;
}

/** Where a watch looks, and whom it tells besides its consumer. */
export interface WatchSource {
  readonly keySpace: KeySpace;
  readonly clock: Clock;
  /** Aborts when nothing more can be asked. */
  readonly closed: AbortSignal;
  /** Called with every answer. */
  observe(origin: AnswerOrigin): void;
}

/** More items wait than the consumer's buffer holds. */
export class BufferFull extends Error {}

/** Indexes seen so far mean nothing any more. */
export class OtherCluster extends Error {}

/** The stream has stood for long enough, or is not to be trusted: another one is opened at once. */
export class Renewal extends Error {}

/** Milliseconds of a poll's silence that prove that history owes nothing. */
const PROOF = 1_000;
/** Milliseconds in which a poll must tell what a stream has told already. */
const PATIENCE = 5_000;
/**
 * A probe's answer proves little of a watch's events, which travel by themselves: they get so many
 * turns of so many milliseconds. In a process that was held up, each turn reads sockets once.
 */
const GRACE_TURNS = 3;
const GRACE_TURN = 10;

/** What an event was: told before, there before its watch was opened, or come since. */
type Taken = "known" | "past" | "live";
/** What a poll has told last, or that it owes nothing, or that it has ended too early. */
type PollEnd = Taken | "silence" | "cut";

/**
 * Follows one key for as long as nothing goes wrong: a live stream; long polls that fetch from
 * history what was before it, or what it may have lost; and probes beside them.
 */
export class Pursuit {
  readonly #source: WatchSource;
  readonly #settings: WatchSettings;
  readonly #buffer: ItemBuffer;
  readonly #signal: AbortSignal;
  readonly #position = new Position();
  readonly #pace: ProbePace;
  /** Called when there was news of the key, or proof that there is none. */
  readonly #onProgress: () => void;
  #clusterId: string | undefined;
  #contactAt: number | undefined;
  /** Counts what makes silence before and after it two different silences. */
  #silence = 0;
  /** What tells all that happens to the key from where we are, so that its silence means something. */
  #witness: KeyWatch | LiveStream | undefined;

  constructor(
    source: WatchSource,
    settings: WatchSettings,
    buffer: ItemBuffer,
    signal: AbortSignal,
    onProgress: () => void,
  ) {
    this.#source = source;
    this.#settings = settings;
    this.#buffer = buffer;
    this.#signal = signal;
    this.#onProgress = onProgress;
    this.#pace = new ProbePace(settings.pollInterval);
    if (settings.from !== undefined) this.#position.startAt(settings.from);
  }

  /** Index up to which everything was put into the buffer, or does not concern the key. */
  get index(): number {
    return this.#position.index;
  }

  /** Monotonic moment of the last proof of contact. */
  get contactAt(): number | undefined {
    return this.#contactAt;
  }

  /** Goes on where quiet leads when history does not reach back. @returns whether it leads further */
  skipQuiet(): boolean {
    return this.#position.skipQuiet();
  }

  /**
   * Follows the key until a watch ends, after telling the state as a whole if that is owed.
   *
   * @throws BufferFull, OtherCluster, Renewal, EventIndexClearedError, and what a key space throws
   */
  async follow(owed: WatchResync["reason"] | undefined, onTold: () => void): Promise<void> {
    const session = new AbortController();
    const { signal, letGo } = follow(this.#signal, session.signal);
    try {
      const stream = await this.#openStream(signal);
      void this.#keepVigil(stream, signal).catch((error) => session.abort(error));
      // Read after the stream was opened, which then brings all that follows the state.
      if (owed !== undefined) await this.#tellState(owed, signal).then(onTold);
      await this.#followStream(stream, signal);
    } catch (error) {
      throw session.signal.aborted ? session.signal.reason : error;
    } finally {
      this.#witness = undefined;
      session.abort();
      letGo();
    }
  }

  async #tellState(reason: WatchResync["reason"], signal: AbortSignal): Promise<void> {
    const askedAt = this.#now;
    const state = await readState(this.#source.keySpace, this.#settings, { signal });
    if (!this.#isOf(state.etcdClusterId)) throw new OtherCluster();
    this.#contactAt = askedAt;
    this.#position.startAt(state.index + 1);
    if (state.response !== null) this.#source.observe(state.response);
    this.#buffer.put({ type: "resync", reason, ...state });
  }

  async #followStream(stream: LiveStream, signal: AbortSignal): Promise<void> {
    this.#position.startAtFirst(stream.etcdIndex + 1);
    let isWhole = !this.#position.owes(stream.etcdIndex) || (await this.#fillGap(stream, signal));
    while (isWhole) {
      stream.trust();
      if ((await this.#read(stream)) === "end") return;
      isWhole = await this.#compare(stream, signal);
    }
  }

  /** Reads a stream, of which all before was taken. */
  async #read(stream: LiveStream): Promise<"doubt" | "end"> {
    this.#cover(stream);
    for (;;) {
      const told = await stream.next();
      if (told === undefined) return "end";
      if (told === "doubt") return told;
      this.#take(told, stream);
    }
  }

  /** Fetches what was before the stream. @returns whether all of it came */
  async #fillGap(stream: LiveStream, signal: AbortSignal): Promise<boolean> {
    while (this.#position.owes(stream.etcdIndex)) {
      const end = await this.#poll(stream, signal);
      if (end === "silence") return true;
      if (end === "cut") return false;
    }
    return true;
  }

  /** Asks history whether the stream has told everything. @throws Renewal when it has not */
  async #compare(stream: LiveStream, signal: AbortSignal): Promise<boolean> {
    for (;;) {
      const end = await this.#poll(stream, signal);
      if (end === "past") throw new Renewal();
      if (end !== "known") return end !== "cut";
    }
  }

  /** Asks for the first event that is owed. */
  async #poll(stream: LiveStream, signal: AbortSignal): Promise<PollEnd> {
    const watch = await this.#open(this.#position.since, false, signal);
    const over = new AbortController();
    let end: PollEnd = "cut";
    let isGivenUp = false;
    const giveUp = (isProven: boolean): void => {
      if (over.signal.aborted) return;
      isGivenUp = true;
      if (isProven) end = "silence";
      watch.close();
    };
    this.#proveSilence(watch, stream, signal, over.signal).then(giveUp, () => giveUp(false));
    try {
      this.#cover(watch);
      for await (const event of watch) {
        over.abort();
        end = this.#take(event, watch);
      }
    } finally {
      over.abort();
      this.#cover(undefined);
    }
    if (end !== "cut" && !isGivenUp) this.#position.completeIndex();
    return end;
  }

  /**
   * Waits until a poll was silent for so long that it owes nothing. Its member may have been behind
   * when it was opened, but not after a probe.
   */
  async #proveSilence(
    watch: KeyWatch,
    stream: LiveStream,
    signal: AbortSignal,
    over: AbortSignal,
  ): Promise<boolean> {
    const { clock } = this.#source;
    // A poll that has something to tell is mostly over before.
    await sleep(GRACE_TURN, clock, over);
    await watch.probe({ signal });
    await sleep(PROOF, clock, over);
    if (stream.waiting === 0) return true;
    await sleep(PATIENCE, clock, over);
    return false;
  }

  async #openStream(signal: AbortSignal): Promise<LiveStream> {
    const watch = await this.#open(undefined, true, signal);
    return new LiveStream(watch, this.#settings.bufferSize, this.#source.clock);
  }

  async #open(
    waitIndex: number | undefined,
    stream: boolean,
    signal: AbortSignal,
  ): Promise<KeyWatch> {
    const { key, recursive } = this.#settings;
    const request = { key, recursive, stream, ...(waitIndex !== undefined && { waitIndex }) };
    const watch = await this.#source.keySpace.openWatch(request, { signal });
    this.#source.observe(watch);
    if (this.#isOf(watch.etcdClusterId)) return watch;
    watch.close();
    throw new OtherCluster();
  }

  /** Whether an answer is of the same cluster as the one before. */
  #isOf(clusterId: string): boolean {
    const before = this.#clusterId ?? clusterId;
    this.#clusterId = clusterId;
    return before === clusterId;
  }

  #take(event: EtcdResponse, watch: { readonly etcdIndex: number }): Taken {
    if (this.#buffer.isFull) throw new BufferFull();
    this.#silence++;
    if (!this.#position.take(event)) return "known";
    if (concerns(this.#settings, event)) this.#buffer.put({ type: "change", response: event });
    this.#onProgress();
    if (event.node.modifiedIndex <= watch.etcdIndex) return "past";
    this.#contactAt = this.#now;
    return "live";
  }

  #cover(witness: KeyWatch | LiveStream | undefined): void {
    this.#silence++;
    this.#witness = witness;
  }

  /** Probes while the stream stands, and moves the position on in silence. */
  async #keepVigil(stream: LiveStream, signal: AbortSignal): Promise<void> {
    const { clock } = this.#source;
    const renewAt = this.#now + this.#settings.pollInterval;
    while (this.#now < renewAt) {
      const [silence, askedAt] = [this.#silence, this.#now];
      const index = await this.#probe(this.#witness ?? stream, signal);
      for (let turn = 0; turn < GRACE_TURNS; turn++) await sleep(GRACE_TURN, clock, signal);
      const isSilent = this.#silence === silence && stream.waiting === 0;
      if (isSilent && this.#isTrusted(stream)) this.#position.quietUntil(index);
      this.#onProgress();
      const wait = askedAt + this.#pace.interval - this.#now;
      if (wait > 0) await sleep(wait, clock, signal);
    }
    throw new Renewal();
  }

  #isTrusted(stream: LiveStream): boolean {
    return this.#witness === stream ? !stream.isSuspect : this.#witness !== undefined;
  }

  async #probe(watch: KeyWatch | LiveStream, signal: AbortSignal): Promise<number> {
    const { index } = this.#position;
    const askedAt = this.#now;
    const reached = await watch.probe({ signal });
    if (reached < index) throw new OtherCluster();
    this.#contactAt = askedAt;
    this.#pace.note(reached, askedAt);
    return reached;
  }

  get #now(): number {
    return this.#source.clock.monotonic();
  }
}
