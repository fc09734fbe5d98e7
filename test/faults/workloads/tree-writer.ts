import type { WorkloadContext } from "../workload.js";
import { below, UniqueValues } from "./values.js";

const DIRECTORIES = ["a", "b"];
const FILES = 4;

/** Writes and deletes files of two directories, and sometimes deletes a directory. */
export class TreeWriter {
  readonly #context: WorkloadContext;
  readonly #values: UniqueValues;

  constructor(context: WorkloadContext) {
    this.#context = context;
    this.#values = new UniqueValues(context);
  }

  async step(): Promise<void> {
    const { etcd, directory, operate, random } = this.#context;
    const parent = `${directory}/${DIRECTORIES[below(DIRECTORIES.length, this.#context)]}`;
    const key = `${parent}/${below(FILES, this.#context)}`;
    const choice = random();
    if (choice < 0.75) {
      const value = this.#values.next();
      const set = () => etcd.setNode(key, value);
      await operate({ kind: "set", key, input: value }, set, ({ node }) => node.modifiedIndex);
    } else if (choice < 0.95) await this.#delete(key);
    else await this.#delete(parent);
  }

  async #delete(key: string): Promise<void> {
    const { etcd, operate } = this.#context;
    const remove = () => etcd.deleteNode(key, { recursive: true });
    await operate({ kind: "delete", key }, remove, ({ node }) => node.modifiedIndex);
  }
}
