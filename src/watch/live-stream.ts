import type { KeyWatch } from "../key-space/key-space.js";
import type { EtcdResponse } from "../model/response.js";
import { AsyncQueue } from "../stream/inbox.js";
import { type Clock, deadline } from "../time/clock.js";

/**
 * etcd drops a slow reader of a stream in silence, when 100 events wait for it: those still come. A
 * stream that has brought fewer was not dropped.
 */
const ABOVE_SUSPICION = 64;
/**
 * So many looks must find nothing new for a stream under suspicion to be in doubt. In a process that
 * was held up, sockets are read between two looks.
 */
const QUIET_LOOKS = 2;
/** Milliseconds between two looks. */
const LOOK_INTERVAL = 5;
/** The same for a stream of more than an event a millisecond: etcd will soon have forgotten the rest. */
const HURRIED_INTERVAL = 2;

/** `doubt`: the stream may tell nothing any more, and another one should take its place. */
type Told = EtcdResponse | "doubt";

/**
 * A live stream that is drained as fast as it comes, lest the server should drop a slow reader, and
 * is read when its turn has come. It holds so many events and then ends, with all that came before.
 */
export class LiveStream {
  /** For probes of the endpoint that holds it. */
  readonly watch: KeyWatch;
  /** Whether it is a long poll in place of a stream: it begins at the resume point and ends after one event. */
  readonly isPoll: boolean;
  readonly #capacity: number;
  readonly #clock: Clock;
  readonly #told = new AsyncQueue<Told>();
  #count = 0;
  #reached = 0;
  #cancelLook = (): void => {};
  #isOver = false;

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

  /** Every event after this index comes, in order. */
  get etcdIndex(): number {
    return this.watch.etcdIndex;
  }

  /** Index of the last event that has arrived. */
  get reached(): number {
    return this.#reached;
  }

  /** Whether an event has arrived. */
  get hasBrought(): boolean {
    return this.#count > 0;
  }

  /** The next event; `undefined` when the stream has ended. One reader. */
  async next(): Promise<Told | undefined> {
    return (await this.#told.next()).value;
  }

  /** Puts the stream in doubt, which cannot be undone: its reader is told, after what came before. */
  doubt(): void {
    this.#told.put("doubt");
  }

  /** Doubts the stream once more when nothing comes for a while. */
  doubtWhenQuiet(): void {
    this.#look(this.#count);
  }

  close(): void {
    this.watch.close();
  }

  async #drain(): Promise<void> {
    try {
      for await (const event of this.watch) {
        this.#told.put(event);
        this.#reached = event.node.modifiedIndex;
        if (++this.#count === ABOVE_SUSPICION) this.doubtWhenQuiet();
        if (this.#told.size >= this.#capacity) break;
      }
      this.#told.end();
    } catch (error) {
      this.#told.end(error as Error);
    } finally {
      this.#isOver = true;
      this.#cancelLook();
    }
  }

  /** Looks until nothing new is found. */
  #look(found: number, quietLooks = 0, interval = LOOK_INTERVAL): void {
    this.#cancelLook();
    if (this.#isOver) return;
    this.#cancelLook = deadline(this.#clock, interval, () => {
      const news = this.#count - found;
      const isHurried = news > interval;
      if (news > 0) this.#look(this.#count, 0, isHurried ? HURRIED_INTERVAL : LOOK_INTERVAL);
      else if (quietLooks + 1 < QUIET_LOOKS) this.#look(found, quietLooks + 1, interval);
      else this.doubt();
    });
  }
}
