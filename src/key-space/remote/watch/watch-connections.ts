import { TimeoutError } from "../../../errors/cluster-errors.js";
import type { WatchRequest } from "../../../model/key-request.js";
import type { KeyWatch } from "../../key-space.js";
import { type FeedSink, OtherStoreError } from "../../shared/feed.js";
import type { SubscribeRequest } from "../../subscription.js";
import { LiveStream } from "./live-stream.js";
import type { SessionContext } from "./session-context.js";
import type { WatchProgress } from "./watch-progress.js";

/** Number of consecutive late streams after which long polls are used. */
const MAX_LATE_STREAMS = 2;
/** Milliseconds for which long polls are used before a stream is tried again. */
const POLLS_MS = 600_000;

/** Opens the connections of a watch: streams, or long polls where streams do not work. */
export class WatchConnections {
  readonly #context: SessionContext;
  readonly #request: SubscribeRequest;
  readonly #progress: WatchProgress;
  readonly #sink: FeedSink;
  #clusterId: string;
  #lateStreams = 0;
  #pollsUntil = Number.NEGATIVE_INFINITY;
  /** The connection that was opened last; `undefined` when none is open. */
  current: LiveStream | undefined;

  constructor(
    context: SessionContext,
    request: SubscribeRequest,
    progress: WatchProgress,
    sink: FeedSink,
  ) {
    this.#context = context;
    this.#request = request;
    this.#sink = sink;
    this.#clusterId = request.clusterId ?? "";
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
    const { bufferSize: capacity } = this.#request;
    this.current = new LiveStream(watch, { capacity, isPoll }, this.#context.clock);
    return this.current;
  }

  async #open(
    mode: Pick<WatchRequest, "stream" | "waitIndex">,
    signal: AbortSignal,
  ): Promise<KeyWatch> {
    const { key, recursive } = this.#request;
    const watch = await this.#context.requests.openWatch({ key, recursive, ...mode }, { signal });
    if (!this.isOf(watch.etcdClusterId)) {
      watch.close();
      throw new OtherStoreError();
    }
    const { etcdServer, etcdClusterId, etcdIndex, raftIndex, raftTerm } = watch;
    this.#sink.onOpen({ etcdServer, etcdClusterId, etcdIndex, raftIndex, raftTerm });
    return watch;
  }

  get #now(): number {
    return this.#context.clock.monotonic();
  }
}
