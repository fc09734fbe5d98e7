import { NestedPrefixError } from "../../../errors/v3-errors.js";
import {
  isAbsent,
  isEmpty,
  putRecord,
  type Read,
  read,
  readFirst,
  type TxnBranch,
} from "../../../etcd3/transaction.js";
import type { OperationResponse } from "../../../etcd3/transaction-answer.js";
import { type KeySchema, prefixOfTree } from "./key-schema.js";

/**
 * Whether this tree is on record among those of the cluster. Two trees of which one lies in the other
 * would write over each other's records, so the second one is refused.
 *
 * `unknown`: not yet asked. `missing`: it is not on record. `hidden`: the user may not see the record.
 */
export class TreeRegistry {
  readonly #layout: KeySchema;
  #state: "unknown" | "missing" | "registered" | "hidden";

  constructor(schema: KeySchema) {
    this.#layout = schema;
    this.#state = schema.tree === undefined ? "hidden" : "unknown";
  }

  /** Whether there is something to register. */
  get isPending(): boolean {
    return this.#state === "missing" || this.#state === "unknown";
  }

  /** Leaves the registry to users who may see it. */
  hide(): void {
    this.#state = "hidden";
  }

  /** The operations whose answers {@link take} takes. */
  reads(options = {}): readonly Read[] {
    const { tree, outerTrees, innerTrees } = this.#layout;
    if (tree === undefined || this.#state === "hidden") return [];
    const outer = outerTrees.map((key) => read(key, { keys_only: true, ...options }));
    return [read(tree, options), readFirst(innerTrees, options), ...outer];
  }

  /** @throws NestedPrefixError when another tree holds this one, or lies in it */
  take([own, inner, ...outer]: readonly OperationResponse[]): void {
    if (own === undefined) return;
    const { keyPrefix } = this.#layout;
    const other = inner?.found[0] ?? outer.flatMap(({ found }) => found)[0];
    if (other !== undefined) throw new NestedPrefixError(keyPrefix, prefixOfTree(other.key));
    this.#state = own.found.length > 0 ? "registered" : "missing";
  }

  /** Puts the tree on record, if no other overlaps it. */
  get registration(): TxnBranch {
    const { tree = "", outerTrees, innerTrees } = this.#layout;
    return {
      if: [tree, ...outerTrees].map(isAbsent).concat(isEmpty(innerTrees)),
      do: [putRecord(tree, "")],
    };
  }

  registered(): void {
    this.#state = "registered";
  }
}
