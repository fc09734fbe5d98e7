/** Whether a key is `top` or below it. */
export function isWithin(key: string, top: string): boolean {
  return key === top || key.startsWith(top === "/" ? "/" : `${top}/`);
}

/** The key of a directory's child. */
export function childOf(directory: string, name: string): string {
  return directory === "/" ? `/${name}` : `${directory}/${name}`;
}

/** A key as etcd returns it. */
export function withoutSlash(key: string): string {
  return key.length > 1 && key.endsWith("/") ? key.slice(0, -1) : key;
}
