import { TimeoutError } from "../errors/cluster-errors.js";
import type { KeyWatch } from "../key-space/key-space.js";
import type { WatchRequest } from "../model/key-request.js";
import { LiveStream } from "./live-stream.js";
import { OtherCluster, type WatchProgress } from "./watch-progress.js";
import type { WatchSettings, WatchSource } from "./watch-source.js";

/** Streams in a row that failed to bring events, after which long polls take their place. */
const MAX_LATE_STREAMS = 2;
/** Milliseconds until a stream is tried again. */
const POLLS_FOR_MS = 600_000;

/** Opens the connections that bring a watch its events: streams, or long polls where streams do not work. */
export class WatchConnections {
  readonly #source: WatchSource;
  readonly #settings: WatchSettings;
  readonly #progress: WatchProgress;
  #clusterId = "";
  #lateStreams = 0;
  #pollsUntil = Number.NEGATIVE_INFINITY;
  /** The connection that was opened last; `undefined` when none is open. */
  current: LiveStream | undefined;

  constructor(source: WatchSource, settings: WatchSettings, progress: WatchProgress) {
    this.#source = source;
    this.#settings = settings;
    this.#progress = progress;
  }

  /** The cluster that is watched; "" before one has answered. */
  get clusterId(): string {
    return this.#clusterId;
  }

  /** Begins anew, with whatever cluster answers first. */
  forgetCluster(): void {
    this.#clusterId = "";
  }

  /** Whether an answer is of the same cluster as the one before, as far as it says. */
  isOf(clusterId: string): boolean {
    this.#clusterId ||= clusterId;
    return clusterId === "" || clusterId === this.#clusterId;
  }

  /** Whether long polls take the place of streams now. */
  get prefersPolls(): boolean {
    return this.#now < this.#pollsUntil;
  }

  preferPolls(): void {
    this.#pollsUntil = this.#now + POLLS_FOR_MS;
  }

  /** Takes note that a stream has brought an event. */
  noteEvent(stream: LiveStream): void {
    if (!stream.isPoll) this.#lateStreams = 0;
  }

  /** Takes note that a connection has failed to bring an event, and has it replaced. */
  replaceLate(stream: LiveStream): void {
    if (!stream.isPoll) this.#countLate();
    stream.doubt();
  }

  openNext(signal: AbortSignal): Promise<LiveStream> {
    return this.prefersPolls ? this.openPoll(signal) : this.openStream(signal);
  }

  async openStream(signal: AbortSignal): Promise<LiveStream> {
    try {
      return this.#begin(await this.#open({ stream: true }, signal), false);
    } catch (error) {
      // What buffers responses may withhold the head of one that does not end.
      if (error instanceof TimeoutError) this.#countLate();
      throw error;
    }
  }

  /** Opens a long poll from the resume point. Its response may wait for an event, head and all. */
  async openPoll(signal: AbortSignal): Promise<LiveStream> {
    for (;;) {
      const { next } = this.#progress.resumePoint;
      try {
        const request = next > 0 ? { waitIndex: next } : {};
        return this.#begin(await this.#open(request, signal), true);
      } catch (error) {
        if (!(error instanceof TimeoutError)) throw error;
      }
    }
  }

  #countLate(): void {
    if (++this.#lateStreams >= MAX_LATE_STREAMS) this.preferPolls();
  }

  #begin(watch: KeyWatch, isPoll: boolean): LiveStream {
    const { bufferSize: capacity } = this.#settings;
    this.current = new LiveStream(watch, { capacity, isPoll }, this.#source.clock);
    return this.current;
  }

  async #open(
    how: Pick<WatchRequest, "stream" | "waitIndex">,
    signal: AbortSignal,
  ): Promise<KeyWatch> {
    const { key, recursive } = this.#settings;
    const watch = await this.#source.keySpace.openWatch({ key, recursive, ...how }, { signal });
    this.#source.observe(watch);
    if (this.isOf(watch.etcdClusterId)) return watch;
    watch.close();
    throw new OtherCluster();
  }

  get #now(): number {
    return this.#source.clock.monotonic();
  }
}
