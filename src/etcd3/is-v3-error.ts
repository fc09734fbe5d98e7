import { V3RefusedError } from "../errors/v3-errors.js";

/** etcd's database quota is exceeded: it accepts only deletes until an operator frees space. */
export const NO_SPACE = "etcdserver: mvcc: database space exceeded";

/** Whether etcd rejected the request with this message. */
export function isV3Error(error: unknown, detail: string): boolean {
  return error instanceof V3RefusedError && error.detail === detail;
}
