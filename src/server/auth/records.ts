import { traceDamage } from "../../cluster/exchange/tracing.js";
import {
  KeyNotFoundError,
  NodeExistError,
  NotFileError,
  TestFailedError,
} from "../../errors/common-errors.js";
import { DamagedRecordError } from "../../errors/v3-errors.js";
import type { KeySpace } from "../../key-space/key-space.js";
import type { EtcdNode } from "../../model/node.js";
import { percentEncode } from "../../wire/key-path.js";
import { internalError } from "./auth-refusal.js";

/** Each failed attempt means that another one succeeded meanwhile. */
const MAX_ATTEMPTS = 100;

/** What one directory of records holds. */
export interface RecordKind<T> {
  readonly directory: string;
  /** The record that JSON holds under a name; `undefined` when it is not one. */
  read(json: unknown, name: string): T | undefined;
}

/** Objects by name, as JSON in one directory of a key space, which other servers may share. */
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

  /** All that can be read, in no useful order. Damaged ones are only traced. */
  async list(): Promise<readonly T[]> {
    const key = this.#kind.directory;
    const answer = await ifKeyExists(this.#keySpace.execute({ action: "get", key }));
    return (answer?.node.nodes ?? []).flatMap((node) => {
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

  /** Writes a record over whatever is there. */
  async replace(name: string, record: T): Promise<void> {
    await overwrite(this.#keySpace, this.#keyOf(name), JSON.stringify(record));
  }

  /**
   * Replaces a record by what becomes of it, and tells that; `undefined` when there is none.
   * `change` is asked again when another change came first.
   *
   * @throws DamagedRecordError
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
    const key = this.#keyOf(name);
    const removal = this.#keySpace.execute({ action: "delete", key, recursive: true });
    return (await ifKeyExists(removal)) !== undefined;
  }

  async #read(
    name: string,
    quorum = false,
  ): Promise<{ readonly record: T; readonly index: number } | undefined> {
    const key = this.#keyOf(name);
    const answer = await ifKeyExists(this.#keySpace.execute({ action: "get", key, quorum }));
    if (answer === undefined) return undefined;
    const record = this.#decode(answer.node, name);
    if (record !== undefined) return { record, index: answer.node.modifiedIndex };
    const damaged = damage(key);
    traceDamage(damaged);
    throw damaged;
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

  /** Others may have written into the directory. */
  #decode({ value = "" }: EtcdNode, name: string): T | undefined {
    try {
      return this.#kind.read(JSON.parse(value), name);
    } catch {
      return undefined;
    }
  }

  /** Names may hold any character: one that is a slash, or hides a key, must not do so here. */
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

/** Sets a file, in place of whatever others have put there. */
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

/** What an operation answers, or `undefined` when there is no such key. */
async function ifKeyExists<A>(answer: Promise<A>): Promise<A | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof KeyNotFoundError) return undefined;
    throw error;
  }
}
