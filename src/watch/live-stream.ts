import type { KeyWatch } from "../key-space/key-space.js";
import type { EtcdResponse } from "../model/response.js";
import { Inbox } from "../stream/inbox.js";

/**
 * A live stream that is drained as fast as it comes, lest the server should drop a slow reader, and
 * is read when its turn has come. It holds so many events and then ends, with all that came before.
 */
export class LiveStream implements AsyncIterable<EtcdResponse> {
  readonly #watch: KeyWatch;
  readonly #events = new Inbox<EtcdResponse>();
  readonly #capacity: number;
  #count = 0;

  constructor(watch: KeyWatch, capacity: number) {
    this.#watch = watch;
    this.#capacity = capacity;
    void this.#drain();
  }

  /** Every event after this index comes, in order. */
  get etcdIndex(): number {
    return this.#watch.etcdIndex;
  }

  /** Events that wait to be read. */
  get waiting(): number {
    return this.#events.size;
  }

  /** Events that have come. */
  get count(): number {
    return this.#count;
  }

  close(): void {
    this.#watch.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<EtcdResponse, undefined> {
    return this.#events;
  }

  async #drain(): Promise<void> {
    try {
      for await (const event of this.#watch) {
        this.#count++;
        this.#events.put(event);
        if (this.#events.size >= this.#capacity) break;
      }
      this.#events.end();
    } catch (error) {
      this.#events.end(error as Error);
    }
  }
}
