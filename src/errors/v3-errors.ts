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
