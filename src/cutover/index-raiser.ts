import { GUEST } from "../auth/auth-store.js";
import type { EtcdClient } from "../client/etcd-client.js";
import { AdminError } from "../errors/admin-error.js";
import { UnauthorizedError } from "../errors/common-errors.js";
import type { KeySpace } from "../key-space/key-space.js";
import { readIndex } from "../key-space/shared/read-state.js";
import type { EtcdReceipt } from "../model/response.js";
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
  readonly #guest: EtcdClient | undefined;
  readonly #target: KeySpace;
  readonly #clock: Clock;
  readonly #ending = new AbortController();
  #raising: Promise<unknown> = Promise.resolve();
  /** Index of v3 when it was read last. */
  #last: number | undefined;

  /** @param guest a client of v2 without credentials, see {@link permitGuests} */
  constructor(
    source: EtcdClient,
    target: KeySpace,
    clock: Clock,
    guest: EtcdClient | undefined = undefined,
  ) {
    this.#source = source;
    this.#guest = guest;
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
    let reached = (await readIndex(this.#source.keySpace, {})).index;
    const workers = Array.from({ length: CONCURRENT_WRITES }, (_, at) => at);
    await forEachConcurrent(workers, CONCURRENT_WRITES, async () => {
      while (reached <= index + HISTORY) {
        const { etcdIndex } = await withRetries(this.#clock, undefined, () => this.#write());
        reached = Math.max(reached, etcdIndex);
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #write(): Promise<EtcdReceipt> {
    const write = { action: "set", key: INDEX_KEY, value: "", noValueOnSuccess: true } as const;
    try {
      return await (this.#guest ?? this.#source).keySpace.execute(write);
    } catch (error) {
      // A member that is behind does not know yet that guests may write it.
      if (!(error instanceof UnauthorizedError)) throw error;
      return await this.#source.keySpace.execute(write);
    }
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

/**
 * Lets clients without credentials write the key that raises the index, until this is disposed: etcd uses the CPU for a
 * tenth of a second to check the password of a request, and there are thousands of these writes.
 */
export async function permitGuests({ auth }: EtcdClient): Promise<AsyncDisposable> {
  const { roles } = auth;
  const pattern = { write: [INDEX_KEY] };
  try {
    await roles.update(GUEST, { grant: pattern });
  } catch (error) {
    // A killed process has left it. Or there is no such role.
    if (!(error instanceof AdminError)) throw error;
    if (error.status === 404) await roles.create(GUEST, pattern);
  }
  return {
    async [Symbol.asyncDispose]() {
      try {
        await roles.update(GUEST, { revoke: pattern });
      } catch {
        // Gateways have returned, or the operator must learn why not. The next way back takes it away.
      }
    },
  };
}
