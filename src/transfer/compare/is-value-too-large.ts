import { EtcdError } from "../../errors/etcd-error.js";
import { saysTooLarge } from "../../etcd3/error-messages.js";

/** The HTTP status with which v2 servers and proxies refuse a body. */
const STATUS_413 = /\b413\b/;

/** Whether a write was refused because of its size. */
export function isValueTooLarge(error: unknown): error is EtcdError {
  if (!(error instanceof EtcdError)) return false;
  return saysTooLarge(error.message) || STATUS_413.test(error.message);
}
