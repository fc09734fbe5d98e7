import { AbortError } from "../../errors/abort-error.js";
import { OwnershipLostError } from "../../errors/ownership-lost-error.js";
import { linkSignals } from "../../time/link-signals.js";
import type { KeepAlive } from "../lease/keep-alive.js";
import { type Contender, contenderValue, dataOf } from "./contender.js";
import type { ContenderQueueState, ContenderQueueView } from "./contender-queue-view.js";

/** A contender that this process created. Its key is kept alive until it leaves the queue. */
export class OwnContender {
  readonly id: string;
  readonly #queue: ContenderQueueView;
  readonly #keepAlive: KeepAlive;
  /** Whether a request whose response was lost may have created, or may still create, another key. */
  readonly #mayHaveDuplicate: boolean;

  constructor(
    queue: ContenderQueueView,
    id: string,
    keepAlive: KeepAlive,
    mayHaveDuplicate: boolean,
  ) {
    this.#queue = queue;
    this.id = id;
    this.#keepAlive = keepAlive;
    this.#mayHaveDuplicate = mayHaveDuplicate;
  }

  get key(): string {
    return this.#keepAlive.key;
  }

  /** Higher for each later contender. */
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

  /** Reads whether this is the first contender. @throws OwnershipLostError */
  async isFirst(signal?: AbortSignal): Promise<boolean> {
    return this.#predecessorIn(await this.#queue.read(signal)) === undefined;
  }

  /** Waits until this is the first contender. @throws OwnershipLostError, AbortError */
  async untilFirst(signal: AbortSignal): Promise<void> {
    const linked = linkSignals(signal, this.signal);
    try {
      for (;;) {
        const state = await this.#queue.readWhenAvailable(linked.signal);
        const predecessor = this.#predecessorIn(state);
        if (predecessor === undefined) return;
        await this.#queue.untilChange(predecessor, state, linked.signal);
      }
    } catch (error) {
      if (signal.aborted) throw new AbortError(`waiting for ${this.key}`, signal.reason, "none");
      this.assertHeld();
      throw error;
    } finally {
      linked.unlink();
    }
  }

  /** Deletes the key. A duplicate that etcd creates later expires with its TTL. */
  async leave(): Promise<void> {
    await this.#keepAlive.close();
    if (this.#mayHaveDuplicate) await this.#queue.removeById(this.id).catch(() => {});
  }

  /** The contender right before this one. */
  #predecessorIn({ contenders }: ContenderQueueState): Contender | undefined {
    this.assertHeld();
    const own = contenders.findIndex(({ key }) => key === this.key);
    if (own < 0)
      throw new OwnershipLostError(this.key, "gone", "the queue does not contain its key");
    if (this.#mayHaveDuplicate) this.#removeDuplicates(contenders);
    return contenders.slice(0, own).findLast(({ id }) => id !== this.id);
  }

  /** Removes the keys of create requests whose responses were lost. */
  #removeDuplicates(contenders: readonly Contender[]): void {
    const duplicates = contenders.filter(({ id, key }) => id === this.id && key !== this.key);
    if (duplicates.length > 0) void this.#queue.remove(duplicates).catch(() => {});
  }
}
