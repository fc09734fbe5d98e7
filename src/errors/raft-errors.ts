import { EtcdRaftError } from "./server-error.js";

/**
 * 300: etcd gave up because it had no leader, had no quorum, or was too slow. A write may still take effect;
 * see `OutcomeUnknownError`.
 */
export class RaftInternalError extends EtcdRaftError {
  override readonly name = "RaftInternalError";
  override readonly code = "ETCD_RAFT_INTERNAL";
}

/** 301: an election is in progress. */
export class LeaderElectError extends EtcdRaftError {
  override readonly name = "LeaderElectError";
  override readonly code = "ETCD_LEADER_ELECT";
}
