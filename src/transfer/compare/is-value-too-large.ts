import { EtcdError } from "../../errors/etcd-error.js";

/** Messages of etcd, gRPC and v2 servers for a value above their limit. */
const TOO_LARGE = /too large|larger than max|\b413\b/;

/** Whether a write was refused because of its size. */
export function isValueTooLarge(error: unknown): error is EtcdError {
  return error instanceof EtcdError && TOO_LARGE.test(error.message);
}
