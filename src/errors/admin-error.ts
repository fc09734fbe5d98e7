import { EtcdError } from "./etcd-error.js";

/** `/v2/members`, `/v2/auth` or `/v2/stats` refused a request; nothing was changed. */
export class AdminError extends EtcdError {
  override readonly name = "AdminError";
  override readonly code = "ETCD_ADMIN";
  /** HTTP status. */
  readonly status: number;
  /** etcd's message. */
  readonly detail: string;
  readonly endpoint: string;

  constructor(operation: string, endpoint: string, status: number, detail: string) {
    super(`${operation} at ${endpoint}: ${detail} [HTTP ${status}]`);
    this.status = status;
    this.detail = detail;
    this.endpoint = endpoint;
  }
}
