import { posix } from "node:path";

/** Converts an argument to a key: adds a missing first slash, and cleans the path as etcdctl does. */
export function keyOf(text: string): string {
  return posix.normalize(`/${text}`);
}
