import type { KeySpace, KeyWatch } from "../key-space/key-space.js";
import type { AnswerOrigin, EtcdResponse } from "../model/response.js";
import type { Clock } from "../time/clock.js";
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

/** Milliseconds without an event after which a stream gives way to a poll. */
const QUIET = 100;
/** Quiet spells for which a poll may owe what a stream has delivered already. */
const PATIENCE = 50;
/**
 * A probe's answer proves little of a poll's events, which travel by themselves: they get so many
 * turns of so many milliseconds. In a process that was held up, each turn reads sockets once.
 */
const GRACE_TURNS = 5;
const GRACE_TURN = 10;

/** What ended a poll: an event, from history or live; its time; or nothing that is known. */
type PollEnd = "behind" | "caught up" | "renewal" | "cut";

/**
 * Follows one key for as long as nothing goes wrong. One long poll after another, which no server
 * drops, with probes beside them; when polls fall behind, a live stream takes over, as soon as they
 * have filled the gap up to where it began, and until it is quiet.
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
  #probedAt = Number.NEGATIVE_INFINITY;
  #clusterId: string | undefined;
  #contactAt: number | undefined;

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

  /** Tells the state as a whole and goes on after it. */
  async resync(reason: WatchResync["reason"]): Promise<void> {
    const askedAt = this.#now;
    const state = await readState(this.#source.keySpace, this.#settings, { signal: this.#signal });
    const isOther = this.#clusterId !== undefined && this.#clusterId !== state.etcdClusterId;
    this.#clusterId = state.etcdClusterId;
    this.#contactAt = askedAt;
    this.#position.startAt(state.index + 1);
    if (state.response !== null) this.#source.observe(state.response);
    this.#buffer.put({ type: "resync", ...state, reason: isOther ? "cluster changed" : reason });
  }

  /**
   * Returns when a watch ended that was not meant to.
   *
   * @throws BufferFull, OtherCluster, EventIndexClearedError, and whatever a key space throws
   */
  async follow(): Promise<void> {
    let stream: LiveStream | undefined;
    try {
      for (;;) {
        const end = await this.#poll(stream);
        if (end === "cut") return;
        if (end === "behind") stream ??= await this.#openStream();
        if (stream === undefined || (this.#position.since ?? 0) <= stream.etcdIndex) continue;
        await this.#read(stream);
        stream = undefined;
      }
    } finally {
      stream?.close();
    }
  }

  /** Waits, however long, for the first event that is owed. */
  async #poll(stream: LiveStream | undefined): Promise<PollEnd> {
    const watch = await this.#open(this.#position.since, false);
    if (this.#position.since === undefined) this.#position.startAt(watch.etcdIndex + 1);
    const vigil = new AbortController();
    let end: PollEnd = "cut";
    let failure: unknown;
    const stop = (as: PollEnd, error?: unknown): void => {
      if (vigil.signal.aborted) return;
      end = as;
      failure ??= error;
      watch.close();
    };
    void this.#keepVigil(watch, vigil.signal).then(
      () => stop("renewal"),
      (error: unknown) => stop("cut", error),
    );
    const cancelLook = stream && this.#whenIdle(stream, () => stop("cut"));
    try {
      for await (const event of watch) {
        vigil.abort();
        end = this.#take(event, watch) ? "behind" : "caught up";
      }
    } finally {
      vigil.abort();
      cancelLook?.();
    }
    if (failure !== undefined) throw failure;
    if (end === "behind" || end === "caught up") this.#position.completeIndex();
    return end;
  }

  async #openStream(): Promise<LiveStream> {
    return new LiveStream(await this.#open(undefined, true), this.#settings.bufferSize);
  }

  /** Reads a stream, of which all before was taken, until it is quiet or has ended. */
  async #read(stream: LiveStream): Promise<void> {
    const cancelLook = this.#whenIdle(stream, () => {});
    try {
      for await (const event of stream) this.#take(event, stream);
    } finally {
      cancelLook();
      stream.close();
    }
  }

  async #open(waitIndex: number | undefined, stream: boolean): Promise<KeyWatch> {
    const { key, recursive } = this.#settings;
    const request = waitIndex === undefined ? { key, recursive } : { key, recursive, waitIndex };
    const options = { signal: this.#signal };
    const watch = await this.#source.keySpace.openWatch(
      stream ? { ...request, stream } : request,
      options,
    );
    this.#clusterId ??= watch.etcdClusterId;
    if (watch.etcdClusterId !== this.#clusterId) {
      watch.close();
      throw new OtherCluster();
    }
    this.#source.observe(watch);
    return watch;
  }

  /** @returns whether the event is news from history: then the watch is behind */
  #take(event: EtcdResponse, watch: { readonly etcdIndex: number }): boolean {
    if (this.#buffer.isFull) throw new BufferFull();
    if (!this.#position.take(event)) return false;
    if (concerns(this.#settings, event)) this.#buffer.put({ type: "change", response: event });
    const isPast = event.node.modifiedIndex <= watch.etcdIndex;
    if (!isPast) this.#contactAt = this.#now;
    this.#onProgress();
    return isPast;
  }

  /**
   * Probes while a poll stands, and moves the position on while it is silent. Resolves when the poll
   * has stood for so long that it is to be opened anew, lest its connection be dead.
   */
  async #keepVigil(watch: KeyWatch, signal: AbortSignal): Promise<void> {
    const renewAt = this.#now + this.#settings.pollInterval;
    // Most polls that catch up are over before.
    await sleep(GRACE_TURN, this.#source.clock, signal);
    while (this.#now < renewAt) {
      const wait = this.#probedAt + this.#pace.interval - this.#now;
      if (wait > 0) await sleep(wait, this.#source.clock, signal);
      const index = await this.#probe(watch);
      for (let turn = 0; turn < GRACE_TURNS; turn++) {
        await sleep(GRACE_TURN, this.#source.clock, signal);
      }
      this.#position.quietUntil(index);
      this.#onProgress();
    }
  }

  async #probe(watch: KeyWatch): Promise<number> {
    const { index } = this.#position;
    const askedAt = this.#now;
    this.#probedAt = askedAt;
    const reached = await watch.probe({ signal: this.#signal });
    if (reached < index) throw new OtherCluster();
    this.#contactAt = askedAt;
    this.#pace.note(reached, askedAt);
    return reached;
  }

  /** Closes a stream that brings nothing for a while. */
  #whenIdle(stream: LiveStream, onPatienceLost: () => void): () => void {
    let [count, spells] = [stream.count, 0];
    const look = (): void => {
      if (stream.waiting === 0 && stream.count === count) {
        stream.close();
        return;
      }
      if (++spells === PATIENCE) onPatienceLost();
      count = stream.count;
      cancel = this.#source.clock.after(QUIET, look);
    };
    let cancel = this.#source.clock.after(QUIET, look);
    return () => cancel();
  }

  get #now(): number {
    return this.#source.clock.monotonic();
  }
}
