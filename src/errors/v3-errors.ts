import { EtcdError } from "./etcd-error.js";

/** etcd's v3 API refused a request; nothing was changed. */
export class V3RefusedError extends EtcdError {
  override readonly name = "V3RefusedError";
  override readonly code = "ETCD_V3_REFUSED";
  /** Method and key or path. */
  readonly operation: string;
  readonly endpoint: string;
  /** Number of the gRPC status, e.g. 8 for `RESOURCE_EXHAUSTED`. */
  readonly grpcCode: number;
  /** etcd's own sentence. */
  readonly detail: string;

  constructor(operation: string, endpoint: string, grpcCode: number, detail: string) {
    super(`${operation} at ${endpoint}: ${detail} [gRPC status ${grpcCode}]`);
    this.operation = operation;
    this.endpoint = endpoint;
    this.grpcCode = grpcCode;
    this.detail = detail;
  }
}

/** Members answer, but serve the v3 API in no form that comes through. */
export class V3DisabledError extends EtcdError {
  override readonly name = "V3DisabledError";
  override readonly code = "ETCD_V3_DISABLED";

  constructor(operation: string, endpoints: readonly string[]) {
    super(
      `${operation}: the v3 API is served neither as gRPC nor as JSON at ${endpoints.join(", ")}. ` +
        "etcd 3.4 and later serve gRPC, which needs a way of HTTP/2 to them. By an HTTP proxy or a " +
        "load balancer of HTTP/1 only JSON comes through: for that, enable-grpc-gateway must be " +
        "true, which a configuration file of etcd 3.4 must say",
    );
  }
}

/**
 * Another key space on the same cluster has a key prefix that contains this one's, or is contained
 * in it. Each would write over the other's records, so this one does not start.
 */
export class NestedPrefixError extends EtcdError {
  override readonly name = "NestedPrefixError";
  override readonly code = "ETCD_NESTED_PREFIX";
  /** The key prefix that was refused. */
  readonly keyPrefix: string;
  /** The key prefix that is in use. */
  readonly other: string;

  constructor(keyPrefix: string, other: string) {
    const relation = other.startsWith(keyPrefix) ? "contains" : "lies inside";
    const record = `etcdnet_trees/${encodeURIComponent(other)}`;
    super(
      `the key prefix "${keyPrefix}" ${relation} the key prefix "${other}", which is in use on this ` +
        `cluster; use "${other}" itself or a prefix beside it, or delete the etcd key ${record} if ` +
        "that tree is no longer used",
    );
    this.keyPrefix = keyPrefix;
    this.other = other;
  }
}

/** A record of this library's in etcd cannot be read; somebody else has written it. */
export class DamagedRecordError extends EtcdError {
  override readonly name = "DamagedRecordError";
  override readonly code = "ETCD_DAMAGED_RECORD";
  /** The record's key. */
  readonly key: string;

  /** `remedy` says what to do; the record's content is never quoted. */
  constructor(key: string, remedy: string) {
    super(`the record ${JSON.stringify(key)} is damaged: ${remedy}`);
    this.key = key;
  }
}
