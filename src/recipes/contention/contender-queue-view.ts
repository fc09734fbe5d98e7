import { KeyNotFoundError } from "../../errors/common-errors.js";
import type { LeaseSettings } from "../lease/lease-settings.js";
import { LeasedKey } from "../lease/leased-key.js";
import type { RecipeClient } from "../shared/recipe-client.js";
import { retryUntilAvailable } from "../shared/retry-until-available.js";
import { type Contender, contendersIn } from "./contender.js";

/** The contenders of a queue at an index. */
export interface ContenderQueueState {
  readonly contenders: readonly Contender[];
  readonly index: number;
  readonly clusterId: string | undefined;
}

/** Reads, watches and removes the contenders of a queue. */
export class ContenderQueueView {
  readonly #etcd: RecipeClient;
  readonly #key: string;
  readonly #settings: LeaseSettings;

  constructor(etcd: RecipeClient, key: string, settings: LeaseSettings) {
    this.#etcd = etcd;
    this.#key = key;
    this.#settings = settings;
  }

  /** Reads the queue with quorum. A queue whose directory does not exist is empty. */
  async read(signal?: AbortSignal): Promise<ContenderQueueState> {
    try {
      const {
        node,
        etcdIndex: index,
        etcdClusterId: clusterId,
      } = await this.#etcd.execute(
        { action: "get", key: this.#key, quorum: true },
        { signal, attemptTimeout: this.#settings.attemptTimeout },
      );
      return { contenders: contendersIn(node), index, clusterId };
    } catch (error) {
      if (!(error instanceof KeyNotFoundError)) throw error;
      return { contenders: [], index: error.index, clusterId: error.clusterId };
    }
  }

  /** Reads the queue. Retries until etcd is available. */
  readWhenAvailable(signal: AbortSignal): Promise<ContenderQueueState> {
    return retryUntilAvailable(() => this.read(signal), this.#etcd.clock, signal);
  }

  /** Waits until the first contender changes. If the queue is empty, waits for any change in it. */
  untilFrontChanges(state: ContenderQueueState, signal: AbortSignal): Promise<void> {
    const [first] = state.contenders;
    return this.untilChange(first ?? { key: this.#key, recursive: true }, state, signal);
  }

  /** Waits for the first change of a key after a state, or for another cluster. */
  async untilChange(
    { key, recursive = false }: { readonly key: string; readonly recursive?: boolean },
    { index, clusterId }: Pick<ContenderQueueState, "index" | "clusterId">,
    signal: AbortSignal,
  ): Promise<void> {
    const watcher = this.#etcd.watch(key, { recursive, from: index + 1, clusterId, signal });
    try {
      await watcher.next();
    } finally {
      watcher.close();
    }
  }

  /** Removes all contenders with this id. */
  async removeById(id: string): Promise<void> {
    const { contenders } = await this.read();
    await this.remove(contenders.filter((contender) => contender.id === id));
  }

  async remove(contenders: readonly Contender[]): Promise<void> {
    const leasedKeys = contenders.map(({ key, value }) => this.owned(key, value));
    await Promise.all(leasedKeys.map((leasedKey) => leasedKey.remove()));
  }

  /** The requests that renew or remove a contender's key. `index`: of the last write, if known. */
  owned(key: string, value: string, index?: number): LeasedKey {
    return new LeasedKey(this.#etcd, key, value, this.#settings, index);
  }
}
