import { AbortError } from "../../errors/abort-error.js";
import { ProtocolError } from "../../errors/cluster-errors.js";
import type { EtcdResponse, ResponseOrigin } from "../../model/response.js";
import { AsyncQueue } from "../../stream/async-queue.js";
import { offAbort, onAbort } from "../../stream/on-abort.js";
import type { KeyWatch } from "../key-space.js";
import { responseOfEvent } from "./response-of-event.js";
import type { StoreEvent } from "./store-event.js";
import type { EventReceiver } from "./watcher-hub.js";

/** Options of a {@link PushedWatch}. */
export interface PushedWatchOptions {
  /** The key without a trailing slash. */
  readonly path: string;
  readonly recursive: boolean;
  readonly since: number;
  /**
   * When the watch ends: after its first event, after all events of that index, or when it is
   * closed.
   */
  readonly until: "event" | "index" | "closed";
  readonly signal: AbortSignal | undefined;
  /** Index up to which the key space has delivered everything. */
  readonly delivered: () => number;
}

/**
 * Events queued for a slow reader: the same number that etcd queues behind its sockets. All events
 * of one index are queued, even if there are more.
 */
const BUFFER_SIZE = 100;

/** One open watch whose events a key space in this process pushes. */
export class PushedWatch implements KeyWatch, EventReceiver {
  readonly path: string;
  readonly recursive: boolean;
  readonly since: number;
  readonly #origin: ResponseOrigin;
  readonly #options: PushedWatchOptions;
  readonly #events = new AsyncQueue<EtcdResponse>();
  #lastIndex = 0;

  /** `onEnd` is called once, when the watch accepts no more events. */
  constructor(origin: ResponseOrigin, options: PushedWatchOptions, onEnd: () => void) {
    const { path, recursive, since, signal } = options;
    this.path = path;
    this.recursive = recursive;
    this.since = since;
    this.#origin = origin;
    this.#options = options;
    this.#events.onEnd = () => {
      offAbort(signal, this.#onAbort);
      onEnd();
    };
    if (signal !== undefined) onAbort(signal, this.#onAbort);
  }

  get provenIndex(): number {
    return Math.max(this.since - 1, this.#options.delivered());
  }

  get etcdServer(): string {
    return this.#origin.etcdServer;
  }

  get etcdClusterId(): string {
    return this.#origin.etcdClusterId;
  }

  get etcdIndex(): number {
    return this.#origin.etcdIndex;
  }

  get raftIndex(): number {
    return this.#origin.raftIndex;
  }

  get raftTerm(): number {
    return this.#origin.raftTerm;
  }

  /** Whether the watch accepts no more events. */
  get ended(): boolean {
    return this.#events.ended;
  }

  push(event: StoreEvent): void {
    const isSameIndex = event.node.modifiedIndex === this.#lastIndex;
    if (isSameIndex || this.#events.size < BUFFER_SIZE) this.replay(event);
    else this.fail(new ProtocolError(`the reader of the watch is ${BUFFER_SIZE} events behind`));
  }

  /**
   * Adds an event from history. It ignores the queue limit, because history is replayed at once.
   */
  replay(event: StoreEvent): void {
    this.#lastIndex = event.node.modifiedIndex;
    this.#events.put(responseOfEvent(event, this.#origin));
    if (this.#options.until === "event") this.end();
  }

  /** Records that all events up to this index were delivered. */
  reached(index: number): void {
    if (this.#options.until === "index" && this.#lastIndex > 0 && this.#lastIndex <= index) {
      this.end();
    }
  }

  close(): void {
    this.#events.discard();
  }

  /** Ends the watch after its queued events. */
  end(): void {
    this.#events.end();
  }

  /** Like {@link end}, but the reader then gets the error. */
  fail(error: Error): void {
    this.#events.end(error);
  }

  /**
   * Ends the watch and drops its events, because the key space was closed or the signal aborted.
   */
  abort(reason: unknown): void {
    this.#events.discard(new AbortError(`watch of ${this.path || "/"}`, reason, "none"));
  }

  /** Not a generator, which would be slower: one event may go to thousands of watches. */
  [Symbol.asyncIterator](): AsyncIterator<EtcdResponse, undefined> {
    return {
      next: () => this.#events.next(),
      return: async () => {
        this.close();
        return { done: true, value: undefined };
      },
    };
  }

  readonly #onAbort = (): void => this.abort(this.#options.signal?.reason);
}
