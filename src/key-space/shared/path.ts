/** Path of a key: without one trailing slash, which etcd ignores; empty for the root. */
export function pathOf(key: string): string {
  return key.endsWith("/") ? key.slice(0, -1) : key;
}

/** Path of the parent directory; not for the root. */
export function parentPath(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** Whether listings omit the node and everything below it. */
export function isHidden(path: string): boolean {
  return path[path.lastIndexOf("/") + 1] === "_";
}

/** Name of an in-order key: twenty digits, so that names sort like their numbers. */
export function inOrderName(number: number): string {
  return String(number).padStart(20, "0");
}
