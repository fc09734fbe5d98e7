import type { EtcdClient } from "../client/etcd-client.js";
import type { KeySpace } from "../key-space/key-space.js";
import { readIndex } from "../key-space/shared/read-state.js";
import type { Clock } from "../time/clock.js";
import { sleep } from "../time/sleep.js";
import { forEachConcurrent } from "../transfer/source/for-each-concurrent.js";
import { withRetries } from "../transfer/source/key-space-with-retries.js";

/** Written only to make the index of v2 greater. */
export const INDEX_KEY = "/_etcdnet_index";
const CONCURRENT_WRITES = 64;
/** Changes of which v2 keeps the history: after so many, it has forgotten all that were before. */
const HISTORY = 1_000;
/** Changes of v3 from one look at its index to the next, at least. */
const SLACK = 2_000;
const INTERVAL_MS = 500;

/** Keeps the index of v2 greater than that of v3. */
export class IndexRaiser implements AsyncDisposable {
  readonly #source: EtcdClient;
  readonly #target: KeySpace;
  readonly #clock: Clock;
  readonly #ending = new AbortController();
  #raising: Promise<unknown> = Promise.resolve();
  /** Index of v3 when it was read last. */
  #last: number | undefined;

  constructor(source: EtcdClient, target: KeySpace, clock: Clock) {
    this.#source = source;
    this.#target = target;
    this.#clock = clock;
  }

  /** Resolves when it is greater. From then on, it stays so until {@link stop}. */
  async start(): Promise<void> {
    await this.#raise();
    this.#raising = this.#keepRaising(this.#ending.signal).catch(() => {});
  }

  async stop(): Promise<void> {
    this.#ending.abort(new Error("the index need not be greater"));
    await this.#raising;
  }

  /** So far that v2 has forgotten all changes up to it: a watch from an index of v3 then learns that it must read again. */
  async raiseAbove(index: number): Promise<void> {
    const { keySpace } = this.#source;
    let reached = (await readIndex(keySpace, {})).index;
    const write = { action: "set", key: INDEX_KEY, value: "", noValueOnSuccess: true } as const;
    const workers = Array.from({ length: CONCURRENT_WRITES }, (_, at) => at);
    await forEachConcurrent(workers, CONCURRENT_WRITES, async () => {
      while (reached <= index + HISTORY) {
        const call = () => keySpace.execute(write);
        const { etcdIndex } = await withRetries(this.#clock, undefined, call);
        reached = Math.max(reached, etcdIndex);
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #keepRaising(signal: AbortSignal): Promise<never> {
    for (;;) {
      await sleep(INTERVAL_MS, this.#clock, signal);
      // It is tried again, and before the end at the latest.
      await this.#raise().catch(() => {});
    }
  }

  async #raise(): Promise<void> {
    const { index } = await readIndex(this.#target, {});
    const growth = this.#last === undefined ? 0 : index - this.#last;
    this.#last = index;
    await this.raiseAbove(index + Math.max(SLACK, 4 * growth));
  }
}
