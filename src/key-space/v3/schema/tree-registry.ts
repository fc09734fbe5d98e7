import { NestedPrefixError } from "../../../errors/v3-errors.js";
import {
  isAbsent,
  isEmpty,
  putWithoutPrevious,
  type Read,
  type ReadOptions,
  read,
  readFirst,
  type TxnBranch,
} from "../../../etcd3/transaction.js";
import type { OperationResult } from "../../../etcd3/txn-result.js";
import { type KeySchema, prefixOfTree } from "./key-schema.js";

/**
 * Registers this tree in the cluster. Two trees of which one contains the other would overwrite
 * each other's records, so the second one is refused.
 *
 * `unknown`: not queried yet. `missing`: not registered. `hidden`: the user may not read the
 * registry.
 */
export class TreeRegistry {
  readonly #schema: KeySchema;
  #state: "unknown" | "missing" | "registered" | "hidden";

  constructor(schema: KeySchema) {
    this.#schema = schema;
    this.#state = schema.tree === undefined ? "hidden" : "unknown";
  }

  /** Whether the tree may still have to be registered. */
  get isPending(): boolean {
    return this.#state === "missing" || this.#state === "unknown";
  }

  /** Disables the registry for a user who may not read it. */
  hide(): void {
    this.#state = "hidden";
  }

  /** The reads whose results {@link take} accepts. */
  reads(options: ReadOptions = {}): readonly Read[] {
    const { tree, outerTrees, innerTrees } = this.#schema;
    if (tree === undefined || this.#state === "hidden") return [];
    const outer = outerTrees.map((key) => read(key, { keys_only: true, ...options }));
    return [read(tree, options), readFirst(innerTrees, options), ...outer];
  }

  /** @throws NestedPrefixError when another tree contains this one, or is inside of it */
  take([own, inner, ...outer]: readonly OperationResult[]): void {
    if (own === undefined) return;
    const { keyPrefix } = this.#schema;
    const other = inner?.kvs[0] ?? outer.flatMap(({ kvs }) => kvs)[0];
    if (other !== undefined) throw new NestedPrefixError(keyPrefix, prefixOfTree(other.key));
    this.#state = own.kvs.length > 0 ? "registered" : "missing";
  }

  /** Registers the tree if no other overlaps it. */
  get registration(): TxnBranch {
    const { tree = "", outerTrees, innerTrees } = this.#schema;
    return {
      if: [tree, ...outerTrees].map(isAbsent).concat(isEmpty(innerTrees)),
      do: [putWithoutPrevious(tree, "")],
    };
  }

  registered(): void {
    this.#state = "registered";
  }
}
