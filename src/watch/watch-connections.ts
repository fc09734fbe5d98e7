import { TimeoutError } from "../errors/cluster-errors.js";
import type { KeyWatch } from "../key-space/key-space.js";
import type { WatchRequest } from "../model/key-request.js";
import { LiveStream } from "./live-stream.js";
import { OtherCluster, type WatchProgress } from "./watch-progress.js";
import type { WatchSettings, WatchSource } from "./watch-source.js";

/** Number of consecutive late streams after which long polls are used. */
const MAX_LATE_STREAMS = 2;
/** Milliseconds for which long polls are used before a stream is tried again. */
const POLLS_MS = 600_000;

/** Opens the connections of a watch: streams, or long polls where streams do not work. */
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

  /** ID of the watched cluster; "" before the first response. */
  get clusterId(): string {
    return this.#clusterId;
  }

  /** Accepts any cluster as the watched one with the next response. */
  forgetCluster(): void {
    this.#clusterId = "";
  }

  /**
   * Whether a response comes from the watched cluster; `true` if the response has no cluster ID.
   */
  isOf(clusterId: string): boolean {
    this.#clusterId ||= clusterId;
    return clusterId === "" || clusterId === this.#clusterId;
  }

  /** Whether long polls are used instead of streams now. */
  get prefersPolls(): boolean {
    return this.#now < this.#pollsUntil;
  }

  preferPolls(): void {
    this.#pollsUntil = this.#now + POLLS_MS;
  }

  /** Records that a connection has delivered an event. */
  recordEvent(stream: LiveStream): void {
    if (!stream.isPoll) this.#lateStreams = 0;
  }

  /** Records that a connection did not deliver an event, and has it replaced. */
  replaceLate(stream: LiveStream): void {
    if (!stream.isPoll) this.#countLate();
    stream.markSuspect();
  }

  openNext(signal: AbortSignal): Promise<LiveStream> {
    return this.prefersPolls ? this.openPoll(signal) : this.openStream(signal);
  }

  async openStream(signal: AbortSignal): Promise<LiveStream> {
    try {
      return this.#start(await this.#open({ stream: true }, signal), false);
    } catch (error) {
      // A proxy that buffers responses can withhold the headers of a stream.
      if (error instanceof TimeoutError) this.#countLate();
      throw error;
    }
  }

  /**
   * Opens a long poll at the resume point. Its response, headers included, may wait for an event.
   */
  async openPoll(signal: AbortSignal): Promise<LiveStream> {
    for (;;) {
      const { next } = this.#progress.resumePoint;
      try {
        const request = next > 0 ? { waitIndex: next } : {};
        return this.#start(await this.#open(request, signal), true);
      } catch (error) {
        if (!(error instanceof TimeoutError)) throw error;
      }
    }
  }

  #countLate(): void {
    if (++this.#lateStreams >= MAX_LATE_STREAMS) this.preferPolls();
  }

  #start(watch: KeyWatch, isPoll: boolean): LiveStream {
    const { bufferSize: capacity } = this.#settings;
    this.current = new LiveStream(watch, { capacity, isPoll }, this.#source.clock);
    return this.current;
  }

  async #open(
    mode: Pick<WatchRequest, "stream" | "waitIndex">,
    signal: AbortSignal,
  ): Promise<KeyWatch> {
    const { key, recursive } = this.#settings;
    const watch = await this.#source.keySpace.openWatch({ key, recursive, ...mode }, { signal });
    this.#source.observe(watch);
    if (this.isOf(watch.etcdClusterId)) return watch;
    watch.close();
    throw new OtherCluster();
  }

  get #now(): number {
    return this.#source.clock.monotonic();
  }
}
