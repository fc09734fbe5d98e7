import { AbortError } from "../errors/abort-error.js";
import type { WatchItem } from "../model/watch-item.js";
import { type LinkedSignal, linkSignals } from "../time/link-signals.js";
import { ItemBuffer } from "./item-buffer.js";
import type { WatchSettings, WatchSource } from "./watch-source.js";
import { WatchSupervisor } from "./watch-supervisor.js";
import type { Watcher } from "./watcher.js";

/** The consumer's side of a watch. */
export class KeyWatcher implements Watcher {
  readonly #key: string;
  readonly #buffer: ItemBuffer;
  readonly #supervisor: WatchSupervisor;
  readonly #closing = new AbortController();
  readonly #ending: LinkedSignal;

  constructor(source: WatchSource, settings: WatchSettings, signal: AbortSignal | undefined) {
    this.#key = settings.key;
    this.#buffer = new ItemBuffer(settings.bufferSize);
    this.#ending = linkSignals(signal, source.closed, this.#closing.signal);
    const { signal: ending } = this.#ending;
    this.#supervisor = new WatchSupervisor(source, settings, this.#buffer, ending);
    ending.addEventListener("abort", this.#onAbort);
    if (ending.aborted) this.#onAbort();
    else this.#supervisor.run().catch(this.#onFailure);
  }

  get index(): number {
    return this.#buffer.deliveredIndex(this.#supervisor.index);
  }

  get contactAt(): number | undefined {
    return this.#buffer.consumerCurrentAt(this.#supervisor.contactAt);
  }

  next(): Promise<IteratorResult<WatchItem, undefined>> {
    return this.#buffer.next();
  }

  async return(): Promise<IteratorResult<WatchItem, undefined>> {
    this.close();
    return { done: true, value: undefined };
  }

  close(): void {
    this.#buffer.end();
    this.#closing.abort(new Error("the watch was closed"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  readonly #onAbort = (): void => {
    this.#ending.unlink();
    const { reason } = this.#ending.signal;
    this.#buffer.end(new AbortError(`watch of ${this.#key}`, reason, "none"));
  };

  /** Queued items are delivered before the error. */
  readonly #onFailure = (error: Error): void => {
    this.#ending.unlink();
    this.#buffer.fail(error);
  };
}
