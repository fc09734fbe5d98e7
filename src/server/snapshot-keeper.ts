import type { MemoryKeySpace } from "../key-space/memory/memory-key-space.js";
import type { Clock } from "../time/clock.js";
import { writeSnapshot } from "./snapshot-file.js";

/** Milliseconds between two looks for changes. */
const INTERVAL = 1_000;

interface KeySpaces {
  readonly keys: MemoryKeySpace;
  readonly auth: MemoryKeySpace;
}

/**
 * Writes a snapshot when something has changed: at the start, now and then and at the end. Of writes
 * in between that fail the process warns once, and they are tried again.
 */
export class SnapshotKeeper {
  readonly #path: string;
  readonly #keySpaces: KeySpaces;
  readonly #clock: Clock;
  /** What the file holds; nothing when there is none. */
  #saved: string | undefined;
  #started = false;
  #failing = false;
  #cancel: () => void = () => {};
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string, keySpaces: KeySpaces, clock: Clock, isNew: boolean) {
    this.#path = path;
    this.#keySpaces = keySpaces;
    this.#clock = clock;
    this.#saved = isNew ? undefined : this.#state;
  }

  /** Keeps the file from now on. @throws Error when it cannot be written */
  async start(): Promise<void> {
    await this.#save();
    this.#started = true;
    this.#schedule();
  }

  /** Writes what is not written yet, if it was started. */
  async close(): Promise<void> {
    if (!this.#started) return;
    this.#started = false;
    this.#cancel();
    await this.#writing;
    await this.#save();
  }

  #schedule(): void {
    if (!this.#started) return;
    this.#cancel = this.#clock.after(INTERVAL, () => {
      this.#writing = this.#saveOrWarn().then(() => this.#schedule());
    });
  }

  async #saveOrWarn(): Promise<void> {
    try {
      await this.#save();
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) process.emitWarning(error as Error);
      this.#failing = true;
    }
  }

  async #save(): Promise<void> {
    const state = this.#state;
    if (state === this.#saved) return;
    const { keys, auth } = this.#keySpaces;
    await writeSnapshot(this.#path, { keys: keys.snapshot(), auth: auth.snapshot() });
    this.#saved = state;
  }

  get #state(): string {
    return `${this.#keySpaces.keys.index}/${this.#keySpaces.auth.index}`;
  }
}
