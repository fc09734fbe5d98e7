import type { KeyWatch } from "../../key-space/key-space.js";
import type { EtcdResponse } from "../../model/response.js";

/**
 * Opens the watch that continues another one.
 *
 * @param next first index of the events that were not delivered yet; 0: none was delivered
 * @returns `undefined`: it does not continue
 */
type OpenNext = (next: number) => Promise<KeyWatch | undefined>;

/** A watch that may continue on another cluster. Its clients do not notice. */
export class SwitchedWatch implements KeyWatch {
  readonly etcdServer: string;
  readonly etcdClusterId: string;
  readonly etcdIndex: number;
  readonly raftIndex: number;
  readonly raftTerm: number;
  #current: KeyWatch;
  #openNext: OpenNext | undefined;
  /** First index of the events that were not delivered yet; 0: none was delivered. */
  #next = 0;
  #isClosed = false;
  readonly #mayDeliver: () => boolean;

  /**
   * @param watch the first one. Clients see its origin, also when the events come from another cluster
   * @param mayDeliver whether events may be delivered; otherwise the watch ends
   */
  constructor(watch: KeyWatch, mayDeliver = () => true) {
    this.#current = watch;
    this.#mayDeliver = mayDeliver;
    this.etcdServer = watch.etcdServer;
    this.etcdClusterId = watch.etcdClusterId;
    this.etcdIndex = watch.etcdIndex;
    this.raftIndex = watch.raftIndex;
    this.raftTerm = watch.raftTerm;
  }

  /** The watch that delivers the events now. */
  get current(): KeyWatch {
    return this.#current instanceof SwitchedWatch ? this.#current.current : this.#current;
  }

  get provenIndex(): number {
    return this.#current.provenIndex;
  }

  /** Continues with another watch after the events that the current one has. It must end then. */
  continueWith(open: OpenNext): void {
    this.#openNext = open;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<EtcdResponse, void, undefined> {
    for await (const event of this.#current) {
      if (!this.#mayDeliver()) return;
      this.#next = event.node.modifiedIndex + 1;
      yield event;
    }
    if (this.#isClosed) return;
    const next = await this.#openNext?.(this.#next);
    if (next === undefined) return;
    this.#current = next;
    if (this.#isClosed) next.close();
    yield* next;
  }

  close(): void {
    this.#isClosed = true;
    this.#current.close();
  }
}
