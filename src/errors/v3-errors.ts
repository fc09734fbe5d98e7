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

/** Members answer, but none serves the v3 API as JSON. */
export class V3DisabledError extends EtcdError {
  override readonly name = "V3DisabledError";
  override readonly code = "ETCD_V3_DISABLED";

  constructor(operation: string, endpoints: readonly string[]) {
    super(
      `${operation}: the JSON gateway of the v3 API is not served at ${endpoints.join(", ")}. etcd ` +
        "3.4 and later serve it when enable-grpc-gateway is true, which a configuration file of " +
        "etcd 3.4 must say; earlier releases cannot",
    );
  }
}
