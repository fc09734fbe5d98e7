import type { KeyWatch } from "../key-space/key-space.js";
import type { EtcdResponse } from "../model/response.js";

/** A long poll, read to its end: the first event from an index on, or more if they share theirs. */
export class HistoryPoll {
  /** The index from which it asks. */
  readonly since: number;
  /** The last index of the stretch that it begins. */
  readonly until: number;
  /** Resolves when it stands. */
  readonly watch: Promise<KeyWatch>;
  /** How it has ended; rejects when it has failed. */
  readonly end: Promise<"told" | "cut">;
  readonly #events: EtcdResponse[] = [];
  #openedAt = 0;
  #hasEnded = false;

  /** `onTold` is called with the index of what it told, of which nothing more is to come. */
  constructor(
    since: number,
    until: number,
    watch: Promise<KeyWatch>,
    onTold: (index: number) => void,
  ) {
    this.since = since;
    this.until = until;
    this.watch = watch;
    this.end = this.#read(onTold);
    // A failure is looked at when its turn has come.
    const ended = (): void => {
      this.#hasEnded = true;
    };
    this.end.then(ended, ended);
  }

  /** Whether it was answered, or has failed. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get events(): readonly EtcdResponse[] {
    return this.#events;
  }

  /** The store's index when it was opened. */
  get openedAt(): number {
    return this.#openedAt;
  }

  /** The index of its events. */
  get toldIndex(): number | undefined {
    return this.#events.at(-1)?.node.modifiedIndex;
  }

  async #read(onTold: (index: number) => void): Promise<"told" | "cut"> {
    const watch = await this.watch;
    this.#openedAt = watch.etcdIndex;
    // What is below says nothing of what was asked for.
    for await (const event of watch)
      if (event.node.modifiedIndex >= this.since) this.#events.push(event);
    if (this.toldIndex === undefined) return "cut";
    onTold(this.toldIndex);
    return "told";
  }
}
