import type { KeyWatch } from "../../key-space/key-space.js";
import type { EtcdResponse, ResponseOrigin } from "../../model/response.js";

/** A watch that may continue on another cluster. Its clients do not notice. */
export class SwitchedWatch implements KeyWatch {
  readonly etcdServer: string;
  readonly etcdClusterId: string;
  readonly etcdIndex: number;
  readonly raftIndex: number;
  readonly raftTerm: number;
  #current: KeyWatch;
  #openNext: (() => Promise<KeyWatch>) | undefined;
  #isClosed = false;
  readonly #mayDeliver: () => boolean;

  /**
   * @param origin what the client sees; the watch itself may come from another cluster
   * @param mayDeliver whether events may be delivered; otherwise the watch ends
   */
  constructor(watch: KeyWatch, origin: ResponseOrigin, mayDeliver = () => true) {
    this.#current = watch;
    this.#mayDeliver = mayDeliver;
    this.etcdServer = origin.etcdServer;
    this.etcdClusterId = origin.etcdClusterId;
    this.etcdIndex = origin.etcdIndex;
    this.raftIndex = origin.raftIndex;
    this.raftTerm = origin.raftTerm;
  }

  get provenIndex(): number {
    return this.#current.provenIndex;
  }

  /** Continues with another watch after the events that the current one has. It must end then. */
  continueWith(open: () => Promise<KeyWatch>): void {
    this.#openNext = open;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<EtcdResponse, void, undefined> {
    for await (const event of this.#current) {
      if (!this.#mayDeliver()) return;
      yield event;
    }
    if (this.#openNext === undefined || this.#isClosed) return;
    this.#current = await this.#openNext();
    if (this.#isClosed) this.#current.close();
    yield* this.#current;
  }

  close(): void {
    this.#isClosed = true;
    this.#current.close();
  }
}
