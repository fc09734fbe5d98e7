import { AbortError } from "../../errors/abort-error.js";
import { ProtocolError } from "../../errors/cluster-errors.js";
import type { AnswerOrigin, EtcdResponse } from "../../model/response.js";
import { Inbox } from "../../stream/inbox.js";
import { onAbort } from "../../stream/on-abort.js";
import type { KeyWatch } from "../key-space.js";
import type { StoreEvent } from "./store-event.js";
import type { Watcher } from "./watcher-hub.js";

/** What a watch wants. */
export interface MemoryWatchOptions {
  /** The key without a trailing slash. */
  readonly path: string;
  readonly recursive: boolean;
  readonly since: number;
  /** Whether it goes on after the first event. */
  readonly stream: boolean;
  readonly signal: AbortSignal | undefined;
  /** Index of the store by now. */
  readonly probe: () => number;
}

/** Events held for a reader that does not read; as many as etcd holds behind its sockets. */
const BUFFER_SIZE = 100;

/** One open watch on the memory key space. */
export class MemoryWatch implements KeyWatch, Watcher {
  readonly path: string;
  readonly recursive: boolean;
  readonly since: number;
  readonly #origin: AnswerOrigin;
  readonly #stream: boolean;
  readonly #probe: () => number;
  readonly #signal: AbortSignal | undefined;
  readonly #events = new Inbox<EtcdResponse>();

  /** `onEnd` is called once, when the watch takes no more events. */
  constructor(origin: AnswerOrigin, options: MemoryWatchOptions, onEnd: () => void) {
    const { path, recursive, since, stream, signal, probe } = options;
    this.path = path;
    this.recursive = recursive;
    this.since = since;
    this.#origin = origin;
    this.#stream = stream;
    this.#probe = probe;
    this.#signal = signal;
    this.#events.onEnd = () => {
      signal?.removeEventListener("abort", this.#onAbort);
      onEnd();
    };
    if (signal !== undefined) onAbort(signal, this.#onAbort);
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

  /** Whether the watch takes no more events. */
  get ended(): boolean {
    return this.#events.ended;
  }

  take({ action, node, prevNode }: StoreEvent): void {
    if (this.#events.size >= BUFFER_SIZE) {
      this.#events.end(
        new ProtocolError(`the reader of the watch is ${BUFFER_SIZE} events behind`),
      );
      return;
    }
    this.#events.put({ action, ...this.#origin, node, ...(prevNode && { prevNode }) });
    if (!this.#stream) this.#events.end();
  }

  async probe(): Promise<number> {
    return this.#probe();
  }

  close(): void {
    this.#events.discard();
  }

  /** Ends the watch because its key space does. */
  abort(reason: unknown): void {
    this.#events.discard(new AbortError(`watch of ${this.path || "/"}`, reason, "none"));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<EtcdResponse, void, undefined> {
    try {
      for (let next = await this.#events.next(); !next.done; next = await this.#events.next()) {
        yield next.value;
      }
    } finally {
      this.close();
    }
  }

  readonly #onAbort = (): void => this.abort(this.#signal?.reason);
}
