import type { EtcdNode } from "../../model/node.js";
import type { Action } from "../../model/response.js";
import type { WatchResync } from "../../model/watch-item.js";

/** The change of one node of a mirror. */
export interface MirrorChange {
  /** The action of etcd, or `resync` for a difference that was found when the tree was read again. */
  readonly action: Action | "resync";
  readonly key: string;
  /** The new node; absent: it was removed. */
  readonly node?: EtcdNode;
  /** The previous node, as the mirror had it; absent: it did not exist. */
  readonly prevNode?: EtcdNode;
}

/** The complete tree was read again. */
export interface MirrorResync {
  /** The reason; `initial` for the first read, and for the first read after an error. */
  readonly reason: WatchResync["reason"];
  /** Index of the read. */
  readonly index: number;
}

/** The change of a key from one node to another. Either may be absent. */
export function changeOf(
  action: MirrorChange["action"],
  key: string,
  prevNode: EtcdNode | undefined,
  node: EtcdNode | undefined,
): MirrorChange {
  return { action, key, ...(node && { node }), ...(prevNode && { prevNode }) };
}
