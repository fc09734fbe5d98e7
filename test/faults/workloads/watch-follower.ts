import { setImmediate as nextTurn } from "node:timers/promises";
import type { EtcdResponse, Watcher, WatchItem, WatchResync } from "../../../src/index.js";
import type { TreeChange, TreeState } from "../checks/committed-tree.js";
import type { Progress } from "../checks/watch.js";
import type { WorkloadContext } from "../workload.js";
import { filesOf, machineTime } from "./tree-state.js";

const CATCH_UP_TIMEOUT_MS = 15_000;

/** Records what a watch of the workload's directory delivers, and what it says about its progress. */
export class WatchFollower {
  readonly #context: WorkloadContext;
  #watcher: Watcher;
  #following: Promise<void>;

  constructor(context: WorkloadContext) {
    this.#context = context;
    this.#watcher = this.#open(undefined);
    this.#following = this.#follow(this.#watcher);
  }

  /** Ends the watch and continues with another one from its index, as after a restart. */
  async reopen(): Promise<void> {
    await nextTurn();
    const { index } = this.#watcher;
    await this.close();
    this.#watcher = this.#open(index === 0 ? undefined : index + 1);
    this.#following = this.#follow(this.#watcher);
  }

  async recordProgress(): Promise<void> {
    // An item that was returned is recorded in the same turn of the event loop.
    await nextTurn();
    const now = machineTime();
    const { index, currentAt } = this.#watcher;
    if (index === 0) return;
    const age = this.#context.etcd.clock.monotonic() - (currentAt ?? 0);
    const progress: Progress =
      currentAt === undefined ? { index } : { index, currentAt: now - age * 1e6 };
    this.#context.observe("progress", this.#context.directory, progress);
  }

  /** Waits until the watch has delivered everything that is committed now. */
  async catchUp(): Promise<void> {
    const { etcd, operate, directory } = this.#context;
    const reach = async (): Promise<number> => {
      const { etcdIndex } = await etcd.getNode("/", { quorum: true });
      const signal = AbortSignal.timeout(CATCH_UP_TIMEOUT_MS);
      await this.#watcher.reached(etcdIndex, { signal });
      return etcdIndex;
    };
    await operate({ kind: "reached", key: directory }, reach, (index) => index);
  }

  async close(): Promise<void> {
    this.#watcher.close();
    await this.#following;
  }

  #open(from: number | undefined): Watcher {
    const { etcd, directory } = this.#context;
    const start = from === undefined ? { initial: true } : { from, clusterId: etcd.clusterId };
    return etcd.watch(directory, { recursive: true, ...start });
  }

  async #follow(watcher: Watcher): Promise<void> {
    try {
      for await (const item of watcher) this.#record(item);
    } catch (error) {
      this.#context.observe("ended", this.#context.directory, String(error));
    }
  }

  #record(item: WatchItem): void {
    const { observe, directory } = this.#context;
    if (item.type === "change") observe("change", directory, changeOf(item.response));
    else observe("resync", directory, stateOf(item));
  }
}

function changeOf({ node: { key, value, modifiedIndex: index } }: EtcdResponse): TreeChange {
  return value === undefined ? { index, key } : { index, key, value };
}

function stateOf({
  index,
  reason,
  response,
}: WatchResync): TreeState & { readonly reason: string } {
  return { index, reason, files: response === null ? [] : filesOf(response.node) };
}
