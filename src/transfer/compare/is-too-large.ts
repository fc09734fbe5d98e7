import { EtcdError } from "../../errors/etcd-error.js";

/** What etcd, gRPC and servers of v2 say of a value over their limit. */
const TOO_LARGE = /too large|larger than max|\b413\b/;

/** Whether a write was refused for its size. */
export function isTooLarge(error: unknown): error is EtcdError {
  return error instanceof EtcdError && TOO_LARGE.test(error.message);
}
