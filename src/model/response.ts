import type { EtcdNode, RemovedNode } from "./node.js";

/** What happened to the key: the action of a request, or `expire` in an event. */
export type Action =
  | "get"
  | "set"
  | "create"
  | "update"
  | "delete"
  | "compareAndSwap"
  | "compareAndDelete"
  | "expire";

/** Origin of a response: the endpoint, and etcd's response headers. */
export interface ResponseOrigin {
  /** URL of the endpoint that responded. */
  readonly etcdServer: string;
  /** `X-Etcd-Cluster-Id`: hexadecimal, not padded. Indexes of two clusters cannot be compared. */
  readonly etcdClusterId: string;
  /**
   * `X-Etcd-Index`: index of the key space at the time of the response; for an event, the index when the
   * watch began.
   */
  readonly etcdIndex: number;
  /** `X-Raft-Index`: not comparable with {@link etcdIndex}; 0 when the header is absent. */
  readonly raftIndex: number;
  /** `X-Raft-Term`; 0 when the header is absent. */
  readonly raftTerm: number;
}

/** The response to a write with `noValueOnSuccess`: the action, without nodes. */
export interface EtcdReceipt extends ResponseOrigin {
  readonly action: Action;
}

/** A response of the key space, or an event of a watch: etcd's JSON unchanged, and its origin. */
export interface EtcdResponse extends EtcdReceipt {
  /** A {@link RemovedNode} after `delete`, `compareAndDelete` and `expire`, an {@link EtcdNode} otherwise. */
  readonly node: EtcdNode | RemovedNode;
  /** The node before the change. Absent for `get`, `create` and the first `set`. */
  readonly prevNode?: EtcdNode;
}

/** A response to a read, or to a write that leaves a node. */
export interface EtcdNodeResponse extends EtcdResponse {
  readonly node: EtcdNode;
}
