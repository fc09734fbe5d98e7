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
  /** etcd's message. */
  readonly detail: string;

  constructor(operation: string, endpoint: string, grpcCode: number, detail: string) {
    super(`${operation} at ${endpoint}: ${detail} [gRPC status ${grpcCode}]`);
    this.operation = operation;
    this.endpoint = endpoint;
    this.grpcCode = grpcCode;
    this.detail = detail;
  }
}

/** Members respond, but the v3 API can be reached neither over gRPC nor as JSON. */
export class V3DisabledError extends EtcdError {
  override readonly name = "V3DisabledError";
  override readonly code = "ETCD_V3_DISABLED";

  constructor(operation: string, endpoints: readonly string[]) {
    super(
      `${operation}: the v3 API is served neither over gRPC nor as JSON at ${endpoints.join(", ")}. ` +
        "etcd 3.4 and later serve gRPC, which needs HTTP/2 on the complete way to etcd. A proxy or load " +
        "balancer with HTTP/1 only forwards JSON: for that, enable-grpc-gateway must be true, which a " +
        "configuration file of etcd 3.4 must set explicitly",
    );
  }
}

/**
 * Another key space on the same cluster has a key prefix that contains this one's, or is inside it. Each
 * would overwrite the records of the other, so this one does not start.
 */
export class NestedPrefixError extends EtcdError {
  override readonly name = "NestedPrefixError";
  override readonly code = "ETCD_NESTED_PREFIX";
  /** The key prefix that was refused. */
  readonly keyPrefix: string;
  /** The key prefix that is in use. */
  readonly other: string;

  constructor(keyPrefix: string, other: string) {
    const relation = other.startsWith(keyPrefix) ? "contains" : "is inside";
    const record = `etcdnet_trees/${encodeURIComponent(other)}`;
    super(
      `the key prefix "${keyPrefix}" ${relation} the key prefix "${other}", which is in use on this ` +
        `cluster; use "${other}" itself or an unrelated prefix, or delete the etcd key ${record} if ` +
        "that tree is no longer used",
    );
    this.keyPrefix = keyPrefix;
    this.other = other;
  }
}

/** A record of this library in etcd cannot be decoded, because another program has overwritten it. */
export class DamagedRecordError extends EtcdError {
  override readonly name = "DamagedRecordError";
  override readonly code = "ETCD_DAMAGED_RECORD";
  /** The record's key. */
  readonly key: string;

  /** `remedy` says what to do. The content of the record is never quoted. */
  constructor(key: string, remedy: string) {
    super(`the record ${JSON.stringify(key)} is damaged: ${remedy}`);
    this.key = key;
  }
}
