import { EtcdClient } from "../../../src/client/etcd-client.js";
import { MemoryKeySpace } from "../../../src/key-space/memory/memory-key-space.js";
import { RemoteKeySpace } from "../../../src/key-space/remote/remote-key-space.js";
import { ManualClock } from "../../../src/testing/manual-clock.js";
import { nextTurn } from "../../../src/time/event-loop.js";
import { Link } from "./link.js";
import { PausableClock } from "./pausable-clock.js";

/** One step of a story. The page shows the code of `run`. */
interface Step {
  readonly title: string;
  readonly text: string;
  run(): Promise<void> | void;
}

/** A story to step through. */
export interface Story {
  readonly title: string;
  readonly steps: readonly Step[];
}

/** A key space in memory with a clock that stands still, clients of it, and a log. */
export class Stage {
  readonly clock = new ManualClock();
  readonly keySpace: MemoryKeySpace;
  readonly #print: (line: string) => void;

  constructor(print: (line: string) => void, historySize = 1000) {
    this.#print = print;
    this.keySpace = new MemoryKeySpace({ clock: this.clock, historySize });
  }

  // Fields, because stories take them out of the stage.

  readonly print = (line: string): void => this.#print(line);

  /** A client in a process that can be paused: its clock is its own. */
  readonly newProcess = (): { readonly etcd: EtcdClient; readonly clock: PausableClock } => {
    const clock = new PausableClock(this.clock);
    return { etcd: new EtcdClient({ keySpace: this.keySpace, clock }), clock };
  };

  /** A client that reaches the key space through the v2 API, and its connection. */
  readonly newRemoteClient = (): { readonly etcd: EtcdClient; readonly link: Link } => {
    const link = new Link(this.keySpace, this.clock, (line) => this.print(`  ${line}`));
    const keySpace = new RemoteKeySpace(link.cluster, JSON.parse);
    return { etcd: new EtcdClient({ keySpace, clock: this.clock }), link };
  };

  /** Lets time pass, and everything that happens then. */
  readonly pass = async (seconds: number): Promise<void> => {
    for (let elapsed = 0; elapsed < seconds; elapsed += 0.25) {
      await this.clock.advance(250);
      await this.settle();
    }
  };

  /** Lets what has begun come to its end. It takes no time of the clock. */
  readonly settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await nextTurn();
  };
}
