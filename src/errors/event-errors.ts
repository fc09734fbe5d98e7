import { EtcdEventError } from "./server-error.js";

/** 400: the watch ended because etcd recovered its store from a snapshot. */
export class WatcherClearedError extends EtcdEventError {
  override readonly name = "WatcherClearedError";
  override readonly code = "ETCD_WATCHER_CLEARED";
}

/**
 * 401: events since `waitIndex` are no longer held (etcd keeps 1000): read anew, then watch from
 * that read's `etcdIndex + 1`. HTTP status is 400.
 */
export class EventIndexClearedError extends EtcdEventError {
  override readonly name = "EventIndexClearedError";
  override readonly code = "ETCD_EVENT_INDEX_CLEARED";
}
