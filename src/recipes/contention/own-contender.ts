import { AbortError } from "../../errors/abort-error.js";
import { OwnershipLostError } from "../../errors/ownership-lost-error.js";
import { linkSignals } from "../../time/follow.js";
import type { KeepAlive } from "../lease/keep-alive.js";
import { type Contender, contenderValue, dataOf } from "./contender.js";
import type { ContenderQueueState, ContenderQueueView } from "./contender-queue-view.js";

/** Our own place in a line: a key that is kept alive while others stand before it, and after. */
export class OwnContender {
  readonly id: string;
  readonly #queue: ContenderQueueView;
  readonly #keepAlive: KeepAlive;
  /** Whether a lost answer may have left, or may yet bring, a second place of ours. */
  readonly #unsure: boolean;

  constructor(queue: ContenderQueueView, id: string, keepAlive: KeepAlive, unsure: boolean) {
    this.#queue = queue;
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
    return this.#keepAlive.update(contenderValue(this.id, data));
  }

  /** Whether nobody stands before us, as of now. @throws OwnershipLostError */
  async isFirst(signal?: AbortSignal): Promise<boolean> {
    return this.#predecessorIn(await this.#queue.read(signal)) === undefined;
  }

  /** Waits until nobody stands before us. @throws OwnershipLostError, AbortError */
  async untilFirst(signal: AbortSignal): Promise<void> {
    const either = linkSignals(signal, this.signal);
    try {
      for (;;) {
        const state = await this.#queue.readWhenAvailable(either.signal);
        const predecessor = this.#predecessorIn(state);
        if (predecessor === undefined) return;
        await this.#queue.untilChange(predecessor, state.index, either.signal);
      }
    } catch (error) {
      if (signal.aborted) throw new AbortError(`waiting for ${this.key}`, signal.reason, "none");
      this.assertHeld();
      throw error;
    } finally {
      either.unlink();
    }
  }

  /** Gives the place to those who wait. What is not found of it now goes with its TTL. */
  async leave(): Promise<void> {
    await this.#keepAlive.close();
    if (this.#unsure) await this.#queue.sweep(this.id).catch(() => {});
  }

  /** Who stands right before us, in a line as it was read. */
  #predecessorIn({ contenders }: ContenderQueueState): Contender | undefined {
    this.assertHeld();
    const own = contenders.findIndex(({ key }) => key === this.key);
    if (own < 0) throw new OwnershipLostError(this.key, "gone", "it is not in the line");
    if (this.#unsure) this.#removeStrays(contenders);
    return contenders.slice(0, own).findLast(({ id }) => id !== this.id);
  }

  /** Places that etcd made for us although we never heard of it. */
  #removeStrays(contenders: readonly Contender[]): void {
    const strays = contenders.filter(({ id, key }) => id === this.id && key !== this.key);
    if (strays.length > 0) void this.#queue.remove(strays).catch(() => {});
  }
}
