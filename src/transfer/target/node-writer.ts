import {
  KeyNotFoundError,
  NodeExistError,
  NotDirError,
  NotFileError,
} from "../../errors/common-errors.js";
import type { CallOptions } from "../../key-space/key-space.js";
import type { Tree } from "../compare/compare-trees.js";
import type { TreeEntry } from "../source/tree-entry.js";

/** What a node is to be. */
export type Wanted = Pick<TreeEntry, "key" | "value" | "dir" | "ttl">;

/** Obstacles of the other kind, one after the other, after which somebody else must be writing. */
const MAX_OBSTACLES = 50;

/**
 * Brings single nodes of a tree into a state, whatever is there: a file gives way to a directory and
 * the other way round. Repeating any of it is harmless.
 */
export class NodeWriter {
  readonly #tree: Tree;
  readonly #call: CallOptions;

  constructor(tree: Tree, call: CallOptions) {
    this.#tree = tree;
    this.#call = call;
  }

  put(node: Wanted): Promise<void> {
    return node.dir ? this.#putDirectory(node) : this.#putFile(node);
  }

  /** Gives a node another TTL, or none, and leaves the rest. */
  async changeTtl(node: Wanted): Promise<void> {
    const { key, dir, ttl } = node;
    if (ttl === undefined || dir) return this.put(node);
    const refresh = { action: "update", key, refresh: true, ttl, ...BRIEF } as const;
    await this.#unless([KeyNotFoundError, NotFileError, NotDirError], () =>
      this.#tree.execute(refresh, this.#call),
    );
  }

  /** Removes a file, and no directory. */
  async removeFile(key: string): Promise<void> {
    await this.#unless([KeyNotFoundError, NotDirError, NotFileError], () =>
      this.#tree.execute({ action: "delete", key, ...BRIEF }, this.#call),
    );
  }

  /** Removes a node with all that is below it. */
  async removeAll(key: string): Promise<void> {
    const removal = { action: "delete", key, dir: true, recursive: true, ...BRIEF } as const;
    await this.#unless([KeyNotFoundError, NotDirError], () =>
      this.#tree.execute(removal, this.#call),
    );
  }

  async #putFile({ key, value = "", ttl }: Wanted): Promise<void> {
    const write = { action: "set", key, value, ...lifetime(ttl), ...BRIEF } as const;
    await this.#clearing(key, () => this.#tree.execute(write, this.#call));
  }

  async #putDirectory({ key, ttl }: Wanted): Promise<void> {
    const directory = { key, dir: true, ...lifetime(ttl), ...BRIEF } as const;
    await this.#clearing(key, async () => {
      try {
        await this.#tree.execute({ action: "create", ...directory }, this.#call);
      } catch (error) {
        if (!(error instanceof NodeExistError)) throw error;
        await this.#keepDirectory(key, directory);
      }
    });
  }

  async #keepDirectory(
    key: string,
    directory: { readonly key: string; readonly dir: true; readonly ttl?: number },
  ): Promise<void> {
    const { node } = await this.#tree.execute({ action: "get", key, quorum: true }, this.#call);
    if (!node.dir) throw new Obstacle(key);
    if (directory.ttl === undefined && node.expiration === undefined) return;
    await this.#tree.execute({ action: "update", ...directory }, this.#call);
  }

  /** Writes, and removes what is in the way: another kind of node, or a file above. */
  async #clearing(key: string, write: () => Promise<unknown>): Promise<void> {
    for (let obstacles = 0; ; obstacles++) {
      try {
        await write();
        return;
      } catch (error) {
        const obstacle = obstacleIn(error, key);
        if (obstacle === undefined || obstacles === MAX_OBSTACLES) throw error;
        await this.removeAll(obstacle);
      }
    }
  }

  async #unless(
    errors: readonly (new (...args: never[]) => Error)[],
    write: () => Promise<unknown>,
  ): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (!errors.some((known) => error instanceof known)) throw error;
    }
  }
}

/** Something stands in the way at the key. */
class Obstacle extends Error {
  readonly key: string;

  constructor(key: string) {
    super(`${key} is a file`);
    this.key = key;
  }
}

const BRIEF = { noValueOnSuccess: true } as const;

function obstacleIn(error: unknown, key: string): string | undefined {
  if (error instanceof Obstacle) return error.key;
  if (error instanceof NotFileError) return key;
  if (error instanceof NotDirError) return error.detail;
  return undefined;
}

function lifetime(ttl: number | undefined): { readonly ttl?: number } {
  return ttl === undefined ? {} : { ttl };
}
