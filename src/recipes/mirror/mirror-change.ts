import type { EtcdNode } from "../../model/node.js";
import type { Action } from "../../model/response.js";
import type { WatchResync } from "../../model/watch-item.js";

/** How one node of a mirror differs from before. */
export interface MirrorChange {
  /** etcd's own name for what was done, or `resync`: found when the copy was read anew. */
  readonly action: Action | "resync";
  readonly key: string;
  /** The node from now on; absent: it is gone. */
  readonly node?: EtcdNode;
  /** The node until now, as the mirror had it; absent: there was none. */
  readonly prevNode?: EtcdNode;
}

/** The whole copy was read anew. */
export interface MirrorResync {
  /** Why; `initial` for the first read, and for the first one after an error. */
  readonly reason: WatchResync["reason"];
  /** Index of the read. */
  readonly index: number;
}

/** The change of a key from one node, or none, to another. */
export function changeOf(
  action: MirrorChange["action"],
  key: string,
  prevNode: EtcdNode | undefined,
  node: EtcdNode | undefined,
): MirrorChange {
  return { action, key, ...(node && { node }), ...(prevNode && { prevNode }) };
}
