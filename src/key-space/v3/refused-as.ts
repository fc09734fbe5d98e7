import { V3RefusedError } from "../../errors/v3-errors.js";

/** Whether etcd refused in these words. */
export function refusedAs(error: unknown, detail: string): boolean {
  return error instanceof V3RefusedError && error.detail === detail;
}
