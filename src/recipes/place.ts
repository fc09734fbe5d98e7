import { AbortError } from "../errors/abort-error.js";
import { OwnershipLostError } from "../errors/ownership-lost-error.js";
import { follow } from "../time/follow.js";
import type { KeepAlive } from "./keep-alive.js";
import type { LineState, LineView } from "./line-view.js";
import { dataOf, type Standing, standingValue } from "./standing.js";

/** Our own place in a line: a key that is kept alive while others stand before it, and after. */
export class Place {
  readonly id: string;
  readonly #line: LineView;
  readonly #keepAlive: KeepAlive;
  /** Whether a lost answer may have left, or may yet bring, a second place of ours. */
  readonly #unsure: boolean;

  constructor(line: LineView, id: string, keepAlive: KeepAlive, unsure: boolean) {
    this.#line = line;
    this.id = id;
    this.#keepAlive = keepAlive;
    this.#unsure = unsure;
  }

  get key(): string {
    return this.#keepAlive.key;
  }

  /** Rises from each place to the next one in line. */
  get fencingToken(): number {
    return this.#keepAlive.createdIndex;
  }

  get signal(): AbortSignal {
    return this.#keepAlive.signal;
  }

  get data(): string {
    return dataOf(this.#keepAlive.value);
  }

  assertHeld(): void {
    this.#keepAlive.assertHeld();
  }

  update(data: string): Promise<void> {
    return this.#keepAlive.update(standingValue(this.id, data));
  }

  /** Whether nobody stands before us, as of now. @throws OwnershipLostError */
  async isFirst(signal?: AbortSignal): Promise<boolean> {
    return this.#predecessorIn(await this.#line.read(signal)) === undefined;
  }

  /** Waits until nobody stands before us. @throws OwnershipLostError, AbortError */
  async untilFirst(signal: AbortSignal): Promise<void> {
    const either = follow(signal, this.signal);
    try {
      for (;;) {
        const state = await this.#line.readPatiently(either.signal);
        const predecessor = this.#predecessorIn(state);
        if (predecessor === undefined) return;
        await this.#line.untilChange(predecessor, state.index, either.signal);
      }
    } catch (error) {
      this.assertHeld();
      if (signal.aborted) throw new AbortError(`waiting for ${this.key}`, signal.reason, "none");
      throw error;
    } finally {
      either.letGo();
    }
  }

  /** Gives the place to those who wait. */
  async leave(): Promise<void> {
    await this.#keepAlive.close();
    if (this.#unsure) await this.#line.sweep(this.id);
  }

  /** Who stands right before us, in a line as it was read. */
  #predecessorIn({ standings }: LineState): Standing | undefined {
    const ours = standings.filter(({ id }) => id === this.id);
    const strays = ours.filter(({ key }) => key !== this.key);
    if (strays.length > 0) void this.#line.remove(strays).catch(() => {});
    this.assertHeld();
    const place = standings.findIndex(({ key }) => key === this.key);
    if (place < 0) throw new OwnershipLostError(this.key, "gone", "it is not in the line");
    const before = standings.slice(0, place).filter(({ id }) => id !== this.id);
    return before.at(-1);
  }
}
