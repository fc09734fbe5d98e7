/** Whether a key is `top` or below it. */
export function isWithin(key: string, top: string): boolean {
  return key === top || key.startsWith(top === "/" ? "/" : `${top}/`);
}
