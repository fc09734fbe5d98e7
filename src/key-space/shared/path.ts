/** A key's path: without the one trailing slash that etcd ignores; empty for the root. */
export function pathOf(key: string): string {
  return key.endsWith("/") ? key.slice(0, -1) : key;
}

/** Path of the directory that holds a node; not for the root. */
export function parentPath(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** Whether listings leave a node out, with all that is below it. */
export function isHidden(path: string): boolean {
  return path[path.lastIndexOf("/") + 1] === "_";
}

/** Name of an in-order key: twenty digits, so that names sort as their numbers do. */
export function inOrderName(number: number): string {
  return String(number).padStart(20, "0");
}
