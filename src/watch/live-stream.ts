import type { KeyWatch } from "../key-space/key-space.js";
import type { EtcdResponse } from "../model/response.js";
import { Inbox } from "../stream/inbox.js";
import type { Clock } from "../time/clock.js";

/**
 * etcd drops a slow reader of a stream in silence, when 100 events wait for it: those still come. A
 * stream that has brought fewer was not dropped.
 */
const ABOVE_SUSPICION = 64;
/** Milliseconds without an event after which a stream under suspicion is in doubt. */
const QUIET = 50;

/** `doubt`: whether the stream still tells everything needs proof. */
type Told = EtcdResponse | "doubt";

/**
 * A live stream that is drained as fast as it comes, lest the server should drop a slow reader, and
 * is read when its turn has come. It holds so many events and then ends, with all that came before.
 */
export class LiveStream {
  readonly #watch: KeyWatch;
  readonly #capacity: number;
  readonly #clock: Clock;
  readonly #told = new Inbox<Told>();
  /** Events since the stream was last proven to be alive. */
  #unproven = 0;
  #lastAt = 0;
  #cancelLook: (() => void) | undefined;

  constructor(watch: KeyWatch, capacity: number, clock: Clock) {
    this.#watch = watch;
    this.#capacity = capacity;
    this.#clock = clock;
    void this.#drain();
  }

  /** Every event after this index comes, in order. */
  get etcdIndex(): number {
    return this.#watch.etcdIndex;
  }

  /** Events that wait to be read. */
  get waiting(): number {
    return this.#told.size;
  }

  /** The next event; `undefined` when the stream has ended. One reader. */
  async next(): Promise<Told | undefined> {
    return (await this.#told.next()).value;
  }

  /** Takes the stream for one that tells everything. */
  trust(): void {
    this.#unproven = 0;
    this.#cancelLook?.();
    this.#cancelLook = undefined;
  }

  probe(signal: AbortSignal): Promise<number> {
    return this.#watch.probe({ signal });
  }

  close(): void {
    this.#watch.close();
    this.trust();
  }

  async #drain(): Promise<void> {
    try {
      for await (const event of this.#watch) {
        this.#told.put(event);
        this.#lastAt = this.#clock.monotonic();
        if (++this.#unproven >= ABOVE_SUSPICION) this.#lookIn(QUIET);
        if (this.#told.size >= this.#capacity) break;
      }
      this.#told.end();
    } catch (error) {
      this.#told.end(error as Error);
    }
  }

  #lookIn(milliseconds: number): void {
    this.#cancelLook ??= this.#clock.after(milliseconds, () => {
      this.#cancelLook = undefined;
      const left = this.#lastAt + QUIET - this.#clock.monotonic();
      if (left > 0) this.#lookIn(left);
      else this.#told.put("doubt");
    });
  }
}
