import {
  KeyNotFoundError,
  NodeExistError,
  NotDirError,
  NotFileError,
} from "../../errors/common-errors.js";
import type { CallOptions } from "../../key-space/call-options.js";
import type { Tree } from "../compare/compare-trees.js";
import type { TreeEntry } from "../source/tree-entry.js";

/** The desired state of a node. */
export type DesiredNode = Pick<TreeEntry, "key" | "value" | "dir" | "ttl">;

/** Maximum number of conflicts in a row. More show that another client writes to the target. */
const MAX_CONFLICTS = 50;

/**
 * Writes single nodes of a tree. A file in the place of a directory is removed, and vice versa. All
 * operations are idempotent.
 */
export class NodeWriter {
  readonly #tree: Tree;
  readonly #call: CallOptions;

  constructor(tree: Tree, call: CallOptions) {
    this.#tree = tree;
    this.#call = call;
  }

  put(node: DesiredNode): Promise<void> {
    return node.dir ? this.#putDirectory(node) : this.#putFile(node);
  }

  /** Sets or removes the TTL of a node and keeps the rest. */
  async changeTtl(node: DesiredNode): Promise<void> {
    const { key, dir, ttl } = node;
    if (ttl === undefined || dir) return this.put(node);
    const refresh = { action: "update", key, refresh: true, ttl, ...WITHOUT_NODES } as const;
    await this.#executeIgnoring([KeyNotFoundError, NotFileError, NotDirError], () =>
      this.#tree.execute(refresh, this.#call),
    );
  }

  /** Removes a file; keeps a directory. */
  async removeFile(key: string): Promise<void> {
    await this.#executeIgnoring([KeyNotFoundError, NotDirError, NotFileError], () =>
      this.#tree.execute({ action: "delete", key, ...WITHOUT_NODES }, this.#call),
    );
  }

  /** Removes a node and everything below it. */
  async removeAll(key: string): Promise<void> {
    const removal = {
      action: "delete",
      key,
      dir: true,
      recursive: true,
      ...WITHOUT_NODES,
    } as const;
    await this.#executeIgnoring([KeyNotFoundError, NotDirError], () =>
      this.#tree.execute(removal, this.#call),
    );
  }

  async #putFile({ key, value = "", ttl }: DesiredNode): Promise<void> {
    const write = { action: "set", key, value, ...lifetime(ttl), ...WITHOUT_NODES } as const;
    await this.#replaceConflicts(key, () => this.#tree.execute(write, this.#call));
  }

  async #putDirectory({ key, ttl }: DesiredNode): Promise<void> {
    const directory = { key, dir: true, ...lifetime(ttl), ...WITHOUT_NODES } as const;
    await this.#replaceConflicts(key, async () => {
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
    if (!node.dir) throw new ConflictError(key);
    if (directory.ttl === undefined && node.expiration === undefined) return;
    await this.#tree.execute({ action: "update", ...directory }, this.#call);
  }

  /** Writes, and removes conflicting nodes: a node of the other kind, or a file among the parents. */
  async #replaceConflicts(key: string, write: () => Promise<unknown>): Promise<void> {
    for (let conflicts = 0; ; conflicts++) {
      try {
        await write();
        return;
      } catch (error) {
        const conflict = conflictIn(error, key);
        if (conflict === undefined || conflicts === MAX_CONFLICTS) throw error;
        await this.removeAll(conflict);
      }
    }
  }

  async #executeIgnoring(
    errors: readonly (new (...args: never[]) => Error)[],
    write: () => Promise<unknown>,
  ): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (!errors.some((ignored) => error instanceof ignored)) throw error;
    }
  }
}

/** A file exists in the place of a directory. */
class ConflictError extends Error {
  readonly key: string;

  constructor(key: string) {
    super(`${key} is a file`);
    this.key = key;
  }
}

const WITHOUT_NODES = { noValueOnSuccess: true } as const;

function conflictIn(error: unknown, key: string): string | undefined {
  if (error instanceof ConflictError) return error.key;
  if (error instanceof NotFileError) return key;
  if (error instanceof NotDirError) return error.detail;
  return undefined;
}

function lifetime(ttl: number | undefined): { readonly ttl?: number } {
  return ttl === undefined ? {} : { ttl };
}
