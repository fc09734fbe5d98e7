import type { EtcdNode } from "../../model/node.js";
import type { Action } from "../../model/response.js";

/** What one change of the store was. */
export interface StoreEvent {
  readonly action: Action;
  readonly node: EtcdNode;
  readonly prevNode?: EtcdNode;
  /** A refresh: it takes a place in the history, but nobody is told. */
  readonly silent?: true;
  /** Paths of all nodes that went with a directory, itself excluded. */
  readonly removed?: readonly string[];
}
