import { traceDamage } from "../diagnostics/channels.js";
import {
  KeyNotFoundError,
  NodeExistError,
  NotFileError,
  TestFailedError,
} from "../errors/common-errors.js";
import { DamagedRecordError } from "../errors/v3-errors.js";
import type { KeySpace } from "../key-space/key-space.js";
import type { AnyNode } from "../model/node.js";
import { percentEncode } from "../wire/key-path.js";

/** Maximum number of attempts. An attempt fails only if a concurrent one succeeds. */
const MAX_ATTEMPTS = 100;

/** The records of one directory. */
export interface RecordKind<T> {
  readonly directory: string;
  /** The record with this name; `undefined` if the JSON is not a valid record. */
  read(json: unknown, name: string): T | undefined;
}

/** Named objects, stored as JSON in one directory of a key space. Other servers may share it. */
export class Records<T> {
  readonly #keySpace: KeySpace;
  readonly #kind: RecordKind<T>;

  constructor(keySpace: KeySpace, kind: RecordKind<T>) {
    this.#keySpace = keySpace;
    this.#kind = kind;
  }

  /** @throws DamagedRecordError */
  async get(name: string): Promise<T | undefined> {
    return (await this.#read(name))?.record;
  }

  /** All records that can be read, in no particular order. Damaged ones are traced and skipped. */
  async list(): Promise<readonly T[]> {
    const key = this.#kind.directory;
    const response = await ifKeyExists(this.#keySpace.execute({ action: "get", key }));
    return (response?.node.nodes ?? []).flatMap((node) => {
      const name = this.#nameOf(node.key);
      const record = name === undefined ? undefined : this.#decode(node, name);
      if (record === undefined) traceDamage(damage(node.key));
      return record ?? [];
    });
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

  /** Creates or overwrites a record. */
  async replace(name: string, record: T): Promise<void> {
    await overwrite(this.#keySpace, this.#keyOf(name), JSON.stringify(record));
  }

  /**
   * Changes a record and returns the result; `undefined` when the record does not exist. `change` is called
   * again if a concurrent change came first.
   *
   * @throws DamagedRecordError; TestFailedError when a concurrent change came first each time
   */
  async update(name: string, change: (record: T) => T): Promise<T | undefined> {
    for (let attempt = 1; ; attempt++) {
      const found = await this.#read(name, true);
      if (found === undefined) return undefined;
      const record = change(found.record);
      try {
        await this.#swap(name, record, found.index);
        return record;
      } catch (error) {
        const isConflict = error instanceof TestFailedError || error instanceof KeyNotFoundError;
        if (!isConflict || attempt === MAX_ATTEMPTS) throw error;
      }
    }
  }

  /** Whether it existed. */
  async remove(name: string): Promise<boolean> {
    const key = this.#keyOf(name);
    const removal = this.#keySpace.execute({ action: "delete", key, recursive: true });
    return (await ifKeyExists(removal)) !== undefined;
  }

  async #read(
    name: string,
    quorum = false,
  ): Promise<{ readonly record: T; readonly index: number } | undefined> {
    const key = this.#keyOf(name);
    const response = await ifKeyExists(this.#keySpace.execute({ action: "get", key, quorum }));
    if (response === undefined) return undefined;
    const record = this.#decode(response.node, name);
    if (record !== undefined) return { record, index: response.node.modifiedIndex };
    const damaged = damage(key);
    traceDamage(damaged);
    throw damaged;
  }

  /** @throws TestFailedError or KeyNotFoundError when a concurrent change came first */
  async #swap(name: string, record: T, prevIndex: number): Promise<void> {
    const request = { key: this.#keyOf(name), value: JSON.stringify(record), prevIndex };
    await this.#keySpace.execute({ action: "compareAndSwap", ...request });
  }

  /** Undefined if the value is invalid: other programs may write into the directory. */
  #decode({ value = "" }: AnyNode, name: string): T | undefined {
    try {
      return this.#kind.read(JSON.parse(value), name);
    } catch {
      return undefined;
    }
  }

  /** Escapes names: they may contain slashes, or begin with `_`, which would hide the key. */
  #keyOf(name: string): string {
    return `${this.#kind.directory}/=${percentEncode(name)}`;
  }

  #nameOf(key: string): string | undefined {
    try {
      const name = decodeURIComponent(key.slice(this.#kind.directory.length + 2));
      return this.#keyOf(name) === key ? name : undefined;
    } catch {
      return undefined;
    }
  }
}

/** Sets a file, and replaces a directory that another program may have created there. */
export async function overwrite(keySpace: KeySpace, key: string, value: string): Promise<void> {
  try {
    await keySpace.execute({ action: "set", key, value });
  } catch (error) {
    if (!(error instanceof NotFileError)) throw error;
    await keySpace.execute({ action: "delete", key, recursive: true });
    await keySpace.execute({ action: "set", key, value });
  }
}

/** The record, or `undefined` when it is missing or damaged. */
export async function unlessDamaged<T>(record: Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await record;
  } catch (error) {
    if (error instanceof DamagedRecordError) return undefined;
    throw error;
  }
}

function damage(key: string): DamagedRecordError {
  return new DamagedRecordError(
    key,
    "it grants nothing; delete the user or role and create it again",
  );
}

/** The result of an operation, or `undefined` when the key does not exist. */
async function ifKeyExists<R>(result: Promise<R>): Promise<R | undefined> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof KeyNotFoundError) return undefined;
    throw error;
  }
}
