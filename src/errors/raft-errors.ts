import { EtcdRaftError } from "./server-error.js";

/**
 * 300: no leader, no quorum, or too slow: etcd gave up. A write may still take effect, see
 * `OutcomeUnknownError`.
 */
export class RaftInternalError extends EtcdRaftError {
  override readonly name = "RaftInternalError";
  override readonly code = "ETCD_RAFT_INTERNAL";
}

/** 301: an election is going on. */
export class LeaderElectError extends EtcdRaftError {
  override readonly name = "LeaderElectError";
  override readonly code = "ETCD_LEADER_ELECT";
}
