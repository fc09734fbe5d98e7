import type { EtcdNode, RemovedNode } from "./node.js";

/** What happened to the key: a request's own action, or `expire` in an event. */
export type Action =
  | "get"
  | "set"
  | "create"
  | "update"
  | "delete"
  | "compareAndSwap"
  | "compareAndDelete"
  | "expire";

/** Where an answer came from and when: etcd's response headers. */
export interface AnswerOrigin {
  /** URL of the endpoint that answered. */
  readonly etcdServer: string;
  /** `X-Etcd-Cluster-Id`: hexadecimal, not padded. Indexes of two clusters cannot be compared. */
  readonly etcdClusterId: string;
  /**
   * `X-Etcd-Index`: index of the whole key space when the answer was made; for an event, the index
   * when the watch began.
   */
  readonly etcdIndex: number;
  /** `X-Raft-Index`: moves on its own, not comparable with {@link etcdIndex}; 0 when not told. */
  readonly raftIndex: number;
  /** `X-Raft-Term`; 0 when not told. */
  readonly raftTerm: number;
}

/** The answer to a write that asked for `noValueOnSuccess`: what happened, without the nodes. */
export interface EtcdReceipt extends AnswerOrigin {
  readonly action: Action;
}

/** A response of the key space, or an event of a watch: etcd's JSON as it came, and its origin. */
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
