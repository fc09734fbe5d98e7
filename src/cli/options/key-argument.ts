import { posix } from "node:path";

/** A key as it is typed: the first slash may be missing, and the path is cleaned as etcdctl does. */
export function keyOf(text: string): string {
  return posix.normalize(`/${text}`);
}
