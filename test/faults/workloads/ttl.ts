import { setTimeout as delay } from "node:timers/promises";
import { KeyNotFoundError } from "../../../src/index.js";
import { checkTtl, type TtlOperation } from "../checks/ttl.js";
import type { Workload, WorkloadContext } from "../workload.js";
import { itemsIn } from "./items.js";

/** Seconds. */
const TTL = 3;
/** Seconds by which a cut-over and a return make TTLs longer at most. */
const EXTRA_TTL = 66;
/** Milliseconds after which a key that still exists at the end is a fault. */
const END_TIMEOUT_MS = (TTL + EXTRA_TTL) * 1000 + 7_000;
const POLL_INTERVAL_MS = 500;
/** Between two requests of a client, which must be able to refresh its key in time. */
const STEP_MS = 600;

export const ttl: Workload = {
  name: "ttl",
  async run(context) {
    for (let n = 0; ; n++) {
      await context.turn();
      await new KeyLife(context, `${context.directory}/${context.client}-${n}`).run();
    }
  },
  async finish({ etcd, directory, operate }) {
    const { clock } = etcd;
    const until = clock.monotonic() + END_TIMEOUT_MS;
    for (;;) {
      const list = () => itemsIn(etcd, directory);
      const keysOf = (items: { readonly key: string }[]) => items.map(({ key }) => key);
      const { result } = await operate({ kind: "list", key: directory }, list, keysOf);
      if (result?.length === 0 || clock.monotonic() > until) return;
      await delay(POLL_INTERVAL_MS);
    }
  },
  check: (history) => checkTtl(history as readonly TtlOperation[]),
};

/** A key that is created, refreshed for a while, and then left to expire. */
class KeyLife {
  readonly #context: WorkloadContext;
  readonly #key: string;

  constructor(context: WorkloadContext, key: string) {
    this.#context = context;
    this.#key = key;
  }

  async run(): Promise<void> {
    if ((await this.#create()) !== "ok") return;
    if (!(await this.#refreshForAWhile())) return;
    while ((await this.#read()) !== null) await this.#pause();
    // It must not exist again after this.
    await this.#refresh();
    await this.#read();
  }

  /** @returns `false` when an outcome is unknown, so that the expiry is unknown too */
  async #refreshForAWhile(): Promise<boolean> {
    const { etcd, random } = this.#context;
    const until = etcd.clock.monotonic() + random() * 2.5 * TTL * 1000;
    while (etcd.clock.monotonic() < until) {
      await this.#pause();
      if (random() < 0.5) await this.#read();
      else if ((await this.#refresh()) === "unknown") return false;
    }
    return true;
  }

  /** Rejects like a turn when the run is over. */
  async #pause(): Promise<void> {
    const { over, turn } = this.#context;
    await delay(STEP_MS, undefined, { signal: over }).catch(turn);
  }

  async #create(): Promise<string> {
    const { etcd, operate } = this.#context;
    const operation = { kind: "create", key: this.#key, input: { ttl: TTL } };
    const create = () => etcd.createNode(this.#key, "alive", { ttl: TTL });
    return (await operate(operation, create, ({ node }) => node.createdIndex)).outcome;
  }

  async #refresh(): Promise<string> {
    const { etcd, operate } = this.#context;
    const operation = { kind: "refresh", key: this.#key, input: { ttl: TTL } };
    const refresh = () => etcd.refreshNode(this.#key, TTL).catch(nullIfNotFound);
    return (await operate(operation, refresh, (r) => r?.node.createdIndex ?? null)).outcome;
  }

  /** @returns `null` when the key does not exist; `undefined` when the read failed */
  async #read(): Promise<object | null | undefined> {
    const { etcd, operate } = this.#context;
    const read = () => etcd.getNode(this.#key, { quorum: true, ignoreKeyNotFound: true });
    const operation = { kind: "read", key: this.#key };
    return (await operate(operation, read, (r) => r?.node.createdIndex ?? null)).result;
  }
}

function nullIfNotFound(error: unknown): null {
  if (error instanceof KeyNotFoundError) return null;
  throw error;
}
