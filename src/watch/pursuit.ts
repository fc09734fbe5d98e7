import type { KeyWatch } from "../key-space/key-space.js";
import type { EtcdResponse } from "../model/response.js";
import { onAbort } from "../stream/on-abort.js";
import { sleep } from "../time/sleep.js";
import { concerns } from "./concerns.js";
import { Gap, type Pursuer } from "./gap.js";
import type { ItemBuffer } from "./item-buffer.js";
import { LiveStream } from "./live-stream.js";
import { Position } from "./position.js";
import { ProbePace } from "./probe-pace.js";
import { readState } from "./read-state.js";
import type { WatchResync } from "./watch-item.js";
import type { WatchSettings, WatchSource } from "./watch-source.js";

/** More items wait than the consumer's buffer holds. */
export class BufferFull extends Error {}

/** Indexes seen so far mean nothing any more. */
export class OtherCluster extends Error {}

/** Turns in which grace passes. In a process that was held up, each turn reads sockets once. */
const GRACE_TURNS = 3;

/** Why watches are aborted that nobody reads any more. */
const OVER = new Error("the watch has ended or is begun anew");

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
  readonly #pursuer: Pursuer;
  /** Called when there was news of the key, or proof that there is none. */
  readonly #onProgress: () => void;
  #clusterId = "";
  #contactAt: number | undefined;
  /** Events that have come, of any kind. */
  #events = 0;
  /** The one that was opened last. */
  #stream: LiveStream | undefined;
  /** Whether the stream tells all that happens to the key from where we are: its silence means much. */
  #isCovered = false;

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
    this.#pursuer = {
      position: this.#position,
      clock: source.clock,
      poll: (since, signal) => this.#open(since, false, signal),
      take: (event, openedAt) => this.#take(event, openedAt),
    };
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
   * @throws BufferFull, OtherCluster, EventIndexClearedError, and what a key space throws
   */
  async follow(owed: WatchResync["reason"] | undefined, onTold: () => void): Promise<void> {
    const session = new AbortController();
    const { signal } = session;
    const pass = (): void => session.abort(this.#signal.reason);
    onAbort(this.#signal, pass);
    try {
      const stream = await this.#openStream(signal);
      void this.#keepVigil(signal).catch((error) => session.abort(error));
      // Read after the stream was opened, which then brings all that follows the state.
      if (owed !== undefined) await this.#tellState(owed, signal).then(onTold);
      this.#position.startAtFirst(stream.etcdIndex + 1);
      await this.#followStreams(stream, signal);
    } catch (error) {
      const failure: unknown = signal.aborted ? signal.reason : error;
      // Only now: until then nothing of the other one is taken, whoever meets it first.
      if (failure instanceof OtherCluster) this.#clusterId = "";
      throw failure;
    } finally {
      this.#isCovered = false;
      this.#signal.removeEventListener("abort", pass);
      session.abort(OVER);
    }
  }

  async #tellState(reason: WatchResync["reason"], signal: AbortSignal): Promise<void> {
    const askedAt = this.#now;
    const state = await readState(this.#source.keySpace, this.#settings, { signal });
    if (!this.#isOf(state.etcdClusterId)) throw new OtherCluster();
    this.#contactAt = askedAt;
    this.#position.startAt(state.index + 1);
    if (state.response !== null) this.#source.observe(state.response);
    this.#buffer.put({ type: "resync", reason, ...state, etcdClusterId: this.#clusterId });
  }

  async #followStreams(first: LiveStream, signal: AbortSignal): Promise<void> {
    let old: LiveStream | undefined;
    for (let stream = first; await this.#fillGap(old, stream, signal); ) {
      if ((await this.#read(stream)) === "end") return;
      this.#isCovered = false;
      old = stream;
      stream = await this.#openStream(signal);
    }
  }

  /**
   * Takes what was before a stream: from history and, at the same time, from the stream in doubt
   * whose place it takes. @returns whether all of it came
   */
  async #fillGap(
    old: LiveStream | undefined,
    stream: LiveStream,
    signal: AbortSignal,
  ): Promise<boolean> {
    this.#isCovered = false;
    const gap = new Gap(this.#pursuer, stream);
    if (old === undefined) return await gap.fetch(signal);
    const reaching = this.#readUpTo(stream.etcdIndex, old);
    const fetching = gap.fetch(signal);
    try {
      return await Promise.race([
        reaching.then((isReached) => isReached || fetching),
        fetching.catch((error) => this.#fetchRest(error, reaching, stream, signal)),
      ]);
    } finally {
      gap.close();
      old.close();
    }
  }

  /** Where history does not reach back, the stream in doubt may still lead to where it does. */
  async #fetchRest(
    error: Error,
    reaching: Promise<boolean>,
    stream: LiveStream,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { since } = this.#position;
    if (await reaching) return true;
    if (this.#position.since === since) throw error;
    return await new Gap(this.#pursuer, stream).fetch(signal);
  }

  /** Reads a stream in doubt as far as the next one goes back. @returns whether it led there */
  async #readUpTo(index: number, old: LiveStream): Promise<boolean> {
    old.doubtWhenQuiet();
    while (this.#position.owes(index)) {
      const told = await old.next();
      if (typeof told !== "object") return false;
      this.#take(told, old.etcdIndex);
    }
    return true;
  }

  /** Reads a stream, of which all before was taken. */
  async #read(stream: LiveStream): Promise<"doubt" | "end"> {
    this.#isCovered = true;
    for (;;) {
      const told = await stream.next();
      if (told === undefined) return "end";
      if (told === "doubt") return told;
      this.#take(told, stream.etcdIndex);
    }
  }

  async #openStream(signal: AbortSignal): Promise<LiveStream> {
    const watch = await this.#open(undefined, true, signal);
    this.#stream = new LiveStream(watch, this.#settings.bufferSize, this.#source.clock);
    return this.#stream;
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

  /** Whether an answer is of the same cluster as the one before, as far as it says. */
  #isOf(clusterId: string): boolean {
    this.#clusterId ||= clusterId;
    return clusterId === "" || clusterId === this.#clusterId;
  }

  #take(event: EtcdResponse, openedAt: number): void {
    if (this.#buffer.isFull) throw new BufferFull();
    this.#events++;
    // What was there before may come from a member that is long cut off.
    const isLive = event.node.modifiedIndex > openedAt;
    if (isLive) this.#position.disproveQuiet(event);
    if (!this.#position.take(event)) return;
    if (concerns(this.#settings, event)) this.#buffer.put({ type: "change", response: event });
    this.#onProgress();
    if (isLive) this.#contactAt = this.#now;
  }

  /** Probes while a stream stands, moves the position on in silence, and doubts what stands long. */
  async #keepVigil(signal: AbortSignal): Promise<void> {
    let doubtAt = this.#now + this.#settings.pollInterval;
    for (;;) {
      const [stream, events, askedAt] = [this.#stream, this.#events, this.#now];
      if (stream === undefined) return;
      const wasWhole = this.#isWhole(stream);
      const index = Math.min(await this.#probe(stream, signal), stream.toldIndex);
      await this.#grace(signal);
      const wasSilent = this.#events === events && wasWhole && this.#isWhole(stream);
      if (wasSilent) this.#position.quietUntil(index);
      this.#onProgress();
      // Its connection may be dead, and everything sent into it lost.
      if (this.#now >= doubtAt) {
        stream.doubt();
        doubtAt = this.#now + this.#settings.pollInterval;
      }
      const wait = askedAt + this.#pace.interval - this.#now;
      if (wait > 0) await sleep(wait, this.#source.clock, signal);
    }
  }

  async #grace(signal: AbortSignal): Promise<void> {
    const turn = this.#pace.grace / GRACE_TURNS;
    for (let n = 0; n < GRACE_TURNS; n++) await sleep(turn, this.#source.clock, signal);
  }

  /** Whether the stream has told everything so far, and all of that was taken. */
  #isWhole(stream: LiveStream): boolean {
    return stream === this.#stream && this.#isCovered && !stream.isSuspect && stream.waiting === 0;
  }

  async #probe(stream: LiveStream, signal: AbortSignal): Promise<number> {
    const { index } = this.#position;
    const askedAt = this.#now;
    const reached = await stream.probe({ signal });
    if (reached < index) throw new OtherCluster();
    this.#contactAt = askedAt;
    this.#pace.note(reached, askedAt);
    return reached;
  }

  get #now(): number {
    return this.#source.clock.monotonic();
  }
}
