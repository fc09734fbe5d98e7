import type { CallOptions, KeyWatch } from "../key-space/key-space.js";
import type { EtcdResponse } from "../model/response.js";
import { Inbox } from "../stream/inbox.js";
import type { Clock } from "../time/clock.js";

/**
 * etcd drops a slow reader of a stream in silence, when 100 events wait for it: those still come. A
 * stream that has brought fewer was not dropped.
 */
const ABOVE_SUSPICION = 64;
/**
 * So many looks, so many milliseconds apart, must find nothing new for a stream under suspicion to be
 * in doubt. In a process that was held up, sockets are read between two looks.
 */
const QUIET_LOOKS = 3;
const LOOK_INTERVAL = 20;

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

  /** Whether the stream may have been dropped, for all that is known. */
  get isSuspect(): boolean {
    return this.#unproven >= ABOVE_SUSPICION;
  }

  probe(options: CallOptions): Promise<number> {
    return this.#watch.probe(options);
  }

  close(): void {
    this.#watch.close();
    this.trust();
  }

  async #drain(): Promise<void> {
    try {
      for await (const event of this.#watch) {
        this.#told.put(event);
        if (++this.#unproven === ABOVE_SUSPICION) this.#look(ABOVE_SUSPICION, 0);
        if (this.#told.size >= this.#capacity) break;
      }
      this.#told.end();
    } catch (error) {
      this.#told.end(error as Error);
    }
  }

  /** Looks until nothing new is found. */
  #look(found: number, quietLooks: number): void {
    this.#cancelLook = this.#clock.after(LOOK_INTERVAL, () => {
      if (this.#unproven !== found) this.#look(this.#unproven, 0);
      else if (quietLooks + 1 < QUIET_LOOKS) this.#look(found, quietLooks + 1);
      else this.#told.put("doubt");
    });
  }
}
