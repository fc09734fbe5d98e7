import { V3RefusedError } from "../errors/v3-errors.js";

/** etcd has no space left: until an operator makes some, it takes deletes alone. */
export const NO_SPACE = "etcdserver: mvcc: database space exceeded";

/** Whether etcd refused in these words. */
export function isV3Error(error: unknown, detail: string): boolean {
  return error instanceof V3RefusedError && error.detail === detail;
}
