/** Splits a target. Also accepts the absolute form, which clients send to proxies. */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const relative = target.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?]*/i, "");
  const mark = relative.indexOf("?");
  if (mark === -1) return { path: relative, query: "" };
  return { path: relative.slice(0, mark), query: relative.slice(mark + 1) };
}
