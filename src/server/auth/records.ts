import { KeyNotFoundError, NodeExistError, TestFailedError } from "../../errors/common-errors.js";
import type { KeySpace } from "../../key-space/key-space.js";
import { percentEncode } from "../../wire/key-path.js";
import { internalError } from "./auth-refusal.js";

/** Each failed attempt means that another one succeeded meanwhile. */
const MAX_ATTEMPTS = 100;

/** Objects by name, as JSON in one directory of a key space, which other servers may share. */
export class Records<T> {
  readonly #keySpace: KeySpace;
  readonly #directory: string;

  constructor(keySpace: KeySpace, directory: string) {
    this.#keySpace = keySpace;
    this.#directory = directory;
  }

  async get(name: string): Promise<T | undefined> {
    return (await this.#read(name))?.record;
  }

  /** All of them, in no useful order. */
  async list(): Promise<readonly T[]> {
    const key = this.#directory;
    const answer = await ifKeyExists(this.#keySpace.execute({ action: "get", key }));
    return (answer?.node.nodes ?? []).map(({ value }) => this.#decode(value));
  }

  /** Whether the name was free. */
  async create(name: string, record: T): Promise<boolean> {
    const value = JSON.stringify(record);
    try {
      await this.#keySpace.execute({ action: "create", key: this.#keyOf(name), value });
      return true;
    } catch (error) {
      if (error instanceof NodeExistError) return false;
      throw error;
    }
  }

  /**
   * Replaces a record by what becomes of it, and tells that; `undefined` when there is none.
   * `change` is asked again when another change came first.
   */
  async update(name: string, change: (record: T) => T): Promise<T | undefined> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const found = await this.#read(name, true);
      if (found === undefined) return undefined;
      const record = change(found.record);
      if (await this.#swap(name, record, found.index)) return record;
    }
    throw internalError();
  }

  /** Whether there was one. */
  async remove(name: string): Promise<boolean> {
    const removal = this.#keySpace.execute({ action: "delete", key: this.#keyOf(name) });
    return (await ifKeyExists(removal)) !== undefined;
  }

  async #read(
    name: string,
    quorum = false,
  ): Promise<{ readonly record: T; readonly index: number } | undefined> {
    const key = this.#keyOf(name);
    const answer = await ifKeyExists(this.#keySpace.execute({ action: "get", key, quorum }));
    return answer && { record: this.#decode(answer.node.value), index: answer.node.modifiedIndex };
  }

  /** Whether nothing came in between. */
  async #swap(name: string, record: T, prevIndex: number): Promise<boolean> {
    const request = { key: this.#keyOf(name), value: JSON.stringify(record), prevIndex };
    try {
      await this.#keySpace.execute({ action: "compareAndSwap", ...request });
      return true;
    } catch (error) {
      if (error instanceof TestFailedError || error instanceof KeyNotFoundError) return false;
      throw error;
    }
  }

  /** Only this class writes the directory. */
  #decode(value = "null"): T {
    return JSON.parse(value) as T;
  }

  /** Names may hold any character: one that is a slash, or hides a key, must not do so here. */
  #keyOf(name: string): string {
    return `${this.#directory}/=${percentEncode(name)}`;
  }
}

/** What an operation answers, or `undefined` when there is no such key. */
async function ifKeyExists<A>(answer: Promise<A>): Promise<A | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof KeyNotFoundError) return undefined;
    throw error;
  }
}
