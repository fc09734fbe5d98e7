import type { AnyNode, EtcdNode } from "../../model/node.js";
import type { Action } from "../../model/response.js";

/** One change of the store. */
export interface StoreEvent {
  readonly action: Action;
  readonly node: AnyNode;
  readonly prevNode?: EtcdNode;
  /** A refresh: it is part of history, but is not delivered. */
  readonly silent?: true;
  /** Paths of all nodes that were removed with a directory, without the directory. */
  readonly removed?: readonly string[];
}
