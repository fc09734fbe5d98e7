import { EtcdEventError } from "./server-error.js";

/** 400: the watch ended because etcd recovered its store from a snapshot. */
export class WatcherClearedError extends EtcdEventError {
  override readonly name = "WatcherClearedError";
  override readonly code = "ETCD_WATCHER_CLEARED";
}

/**
 * 401: etcd has discarded events since `waitIndex` (it keeps 1000). Read the state again, then watch from
 * that response's `etcdIndex + 1`. The HTTP status is 400.
 */
export class EventIndexClearedError extends EtcdEventError {
  override readonly name = "EventIndexClearedError";
  override readonly code = "ETCD_EVENT_INDEX_CLEARED";
}
