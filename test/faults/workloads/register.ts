import { type EtcdNodeResponse, KeyNotFoundError, TestFailedError } from "../../../src/index.js";
import { checkRegisters, type RegisterHistory, type Shown, type Swap } from "../checks/register.js";
import type { Workload, WorkloadContext } from "../workload.js";
import { below, UniqueValues } from "./values.js";

/** Keys at one time. */
const KEYS = 3;
/** Turns of a client before it goes on to other keys: short histories of a key are quick to check. */
const TURNS_PER_KEY = 12;

export const register: Workload = {
  name: "register",
  async run(context) {
    const client = new RegisterClient(context);
    for (let turn = 0; ; turn++) {
      await context.turn();
      const generation = Math.floor(turn / TURNS_PER_KEY);
      await client.step(`${context.directory}/${generation}-${below(KEYS, context)}`);
    }
  },
  async finish({ etcd, directory, operate }) {
    const list = () =>
      etcd.getNode(directory, { recursive: true, quorum: true, ignoreKeyNotFound: true });
    await operate({ kind: "list", key: directory }, list, (response) =>
      Object.fromEntries(
        (response?.node.nodes ?? []).map(({ key, value = "", modifiedIndex }) => [
          key,
          { value, index: modifiedIndex },
        ]),
      ),
    );
  },
  check: (history) => checkRegisters(history as RegisterHistory),
};

class RegisterClient {
  readonly #context: WorkloadContext;
  readonly #values: UniqueValues;
  /** What this client has last seen of each key. */
  readonly #seen = new Map<string, Shown>();

  constructor(context: WorkloadContext) {
    this.#context = context;
    this.#values = new UniqueValues(context);
  }

  async step(key: string): Promise<void> {
    const choice = this.#context.random();
    if (choice < 0.25) await this.#read("read", key);
    else if (choice < 0.4) await this.#read("readLocal", key);
    else if (choice < 0.65) await this.#write(key);
    else if (choice < 0.9) await this.#swap(key);
    else await this.#delete(key);
  }

  async #read(kind: "read" | "readLocal", key: string): Promise<void> {
    const { etcd, operate } = this.#context;
    const options = { quorum: kind === "read", ignoreKeyNotFound: true } as const;
    const read = () => etcd.getNode(key, options);
    const { result } = await operate({ kind, key }, read, (response) =>
      response === null ? null : shownIn(response),
    );
    if (result) this.#seen.set(key, shownIn(result));
  }

  async #write(key: string): Promise<void> {
    const { etcd, operate } = this.#context;
    const value = this.#values.next();
    const write = () => etcd.setNode(key, value);
    const { result } = await operate({ kind: "write", key, input: value }, write, indexOf);
    if (result) this.#seen.set(key, shownIn(result));
  }

  /** Compares with what this client has last seen, which may be old. */
  async #swap(key: string): Promise<void> {
    const { etcd, operate, random } = this.#context;
    const seen = this.#seen.get(key);
    if (seen === undefined) return this.#write(key);
    const { value: from, index } = seen;
    const to = this.#values.next();
    const byIndex = random() < 0.5;
    const input: Swap = byIndex ? { from, index, to } : { from, to };
    const condition = byIndex ? { prevIndex: index } : { prevValue: from };
    const swap = () => etcd.compareAndSwapNode(key, condition, to).catch(refusalOf);
    const { result } = await operate({ kind: "cas", key, input }, swap, (response) =>
      typeof response === "string" ? response : indexOf(response),
    );
    if (result !== undefined && typeof result !== "string") this.#seen.set(key, shownIn(result));
  }

  async #delete(key: string): Promise<void> {
    const { etcd, operate } = this.#context;
    const remove = () => etcd.deleteNode(key, { ignoreKeyNotFound: true });
    await operate({ kind: "delete", key }, remove, (response) =>
      response === null ? "absent" : response.node.modifiedIndex,
    );
  }
}

/** A condition that was not met tells something about the key. */
function refusalOf(error: unknown): "different" | "absent" {
  if (error instanceof TestFailedError) return "different";
  if (error instanceof KeyNotFoundError) return "absent";
  throw error;
}

function indexOf({ node }: EtcdNodeResponse): number {
  return node.modifiedIndex;
}

function shownIn({ node: { value = "", modifiedIndex } }: EtcdNodeResponse): Shown {
  return { value, index: modifiedIndex };
}
