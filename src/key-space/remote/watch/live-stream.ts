import type { EtcdResponse } from "../../../model/response.js";
import { AsyncQueue } from "../../../stream/async-queue.js";
import { type Clock, socketTimeout } from "../../../time/clock.js";
import type { KeyWatch } from "../../key-space.js";

/**
 * etcd silently drops a stream reader that is 100 events behind, after it delivered those 100. A
 * stream that delivered fewer events than this was not dropped.
 */
const SUSPECT_EVENT_COUNT = 64;
/**
 * Number of checks in a row without a new event before a stream becomes suspect. When the process
 * was blocked, sockets are read between two checks.
 */
const MAX_QUIET_CHECKS = 2;
/** Milliseconds between two checks. */
const CHECK_INTERVAL_MS = 5;
/**
 * The same for more than one event per millisecond: etcd will soon discard the rest of its history.
 */
const FAST_CHECK_INTERVAL_MS = 2;

/** `suspect`: the stream may deliver no more events and should be replaced. */
type StreamItem = EtcdResponse | "suspect";

/**
 * Reads a stream as fast as it arrives, because the server drops slow readers, and queues the
 * events for the consumer. When `capacity` is reached, the stream ends after the queued events.
 */
export class LiveStream {
  /** Its `probe` reads from the endpoint of the stream. */
  readonly watch: KeyWatch;
  /**
   * Whether it is a long poll instead of a stream: it starts at the resume point and ends after one
   * event.
   */
  readonly isPoll: boolean;
  readonly #capacity: number;
  readonly #clock: Clock;
  readonly #queue = new AsyncQueue<StreamItem>();
  #count = 0;
  #lastIndex = 0;
  #cancelCheck = (): void => {};
  #hasEnded = false;

  constructor(
    watch: KeyWatch,
    { capacity, isPoll }: { readonly capacity: number; readonly isPoll: boolean },
    clock: Clock,
  ) {
    this.watch = watch;
    this.isPoll = isPoll;
    this.#capacity = capacity;
    this.#clock = clock;
    void this.#drain();
  }

  /** Every event after this index is delivered, in order. */
  get etcdIndex(): number {
    return this.watch.etcdIndex;
  }

  /** Index of the last event that was received; 0 before the first. */
  get lastIndex(): number {
    return this.#lastIndex;
  }

  get hasReceived(): boolean {
    return this.#count > 0;
  }

  /** The next event; `undefined` when the stream has ended. Allows one reader. */
  async next(): Promise<StreamItem | undefined> {
    return (await this.#queue.next()).value;
  }

  /** Marks the stream as suspect for good. The consumer sees this after the events before it. */
  markSuspect(): void {
    this.#queue.put("suspect");
  }

  /** Marks the stream as suspect again when no event arrives for some milliseconds. */
  markSuspectWhenQuiet(): void {
    this.#scheduleCheck(this.#count);
  }

  close(): void {
    this.watch.close();
  }

  async #drain(): Promise<void> {
    try {
      for await (const event of this.watch) {
        this.#queue.put(event);
        this.#lastIndex = event.node.modifiedIndex;
        if (++this.#count === SUSPECT_EVENT_COUNT) this.markSuspectWhenQuiet();
        if (this.#queue.size >= this.#capacity) break;
      }
      this.#queue.end();
    } catch (error) {
      this.#queue.end(error as Error);
    } finally {
      this.#hasEnded = true;
      this.#cancelCheck();
    }
  }

  /** Repeats the check until no new event was seen. */
  #scheduleCheck(seen: number, quietChecks = 0, interval = CHECK_INTERVAL_MS): void {
    this.#cancelCheck();
    if (this.#hasEnded) return;
    this.#cancelCheck = socketTimeout(this.#clock, interval, () => {
      const newEvents = this.#count - seen;
      const isFast = newEvents > interval;
      if (newEvents > 0)
        this.#scheduleCheck(this.#count, 0, isFast ? FAST_CHECK_INTERVAL_MS : CHECK_INTERVAL_MS);
      else if (quietChecks + 1 < MAX_QUIET_CHECKS)
        this.#scheduleCheck(seen, quietChecks + 1, interval);
      else this.markSuspect();
    });
  }
}
