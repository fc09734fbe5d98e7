import { setTimeout as delay } from "node:timers/promises";
import { EtcdClient } from "../../../src/index.js";
import { type PatroniNode, SCOPE } from "./node.js";

const LEADER_KEY = `/service/${SCOPE}/leader`;
const SAMPLE_EVERY_MS = 250;

/** A change of the leader's key. */
interface LeaderEvent {
  readonly action: string;
  readonly value: string | undefined;
  /** Milliseconds since the start of the process. */
  readonly at: number;
}

/** Records who is the leader in etcd, and whether two PostgreSQL servers accept writes at once. */
export class Observer {
  readonly events: LeaderEvent[] = [];
  readonly problems: string[] = [];
  readonly #client: EtcdClient;
  readonly #stopped = new AbortController();
  readonly #tasks: readonly Promise<void>[];
  samples = 0;

  /** @param etcd one member of the cluster, past the gateways */
  constructor(
    etcd: { readonly url: string; readonly api: "v2" | "v3" },
    nodes: readonly [PatroniNode, PatroniNode],
  ) {
    this.#client = new EtcdClient({ endpoints: etcd.url, api: etcd.api });
    this.#tasks = [this.#watch(), this.#sample(nodes)];
  }

  /** The values that the leader's key has had, without repetitions. */
  get leaders(): readonly (string | undefined)[] {
    return this.events.map(({ value }) => value).filter((value, at, all) => value !== all[at - 1]);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await Promise.all(this.#tasks);
    await this.#client.close();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stopped;
    try {
      for await (const item of this.#client.watch(LEADER_KEY, { signal })) {
        if (item.type === "resync") {
          this.problems.push("the watch of the leader's key had to start again");
          continue;
        }
        const { action, node } = item.response;
        const value = node.dir ? undefined : node.value;
        this.events.push({ action, value, at: performance.now() });
      }
    } catch (error) {
      if (!signal.aborted) this.problems.push(`the watch of the leader's key failed: ${error}`);
    }
  }

  /** Asks the first server before and after the second: then both answers hold at one moment. */
  async #sample([first, second]: readonly [PatroniNode, PatroniNode]): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      const before = await first.isPrimary();
      if (before && (await second.isPrimary()) && (await first.isPrimary())) {
        this.problems.push(`${first.name} and ${second.name} accepted writes at one moment`);
      }
      this.samples += 1;
      await delay(SAMPLE_EVERY_MS);
    }
  }
}
