/** Characters that Go escapes in a path. */
const ESCAPED = /[^\w\-.~$&+,/:;=@]+/g;

/**
 * A decoded path without empty, `.` and `..` segments, as Go's router cleans it; a trailing slash
 * stays.
 */
export function cleanPath(path: string): string {
  if (!path.includes("//") && !path.includes("/.") && path.startsWith("/")) return path;
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment === "..") segments.pop();
    else segments.push(segment);
  }
  const clean = `/${segments.join("/")}`;
  return path.endsWith("/") && clean !== "/" ? `${clean}/` : clean;
}

/** A path, percent-encoded as Go does. */
export function encodePath(path: string): string {
  return path.replace(ESCAPED, encodeText);
}

function encodeText(text: string): string {
  return Buffer.from(text).toString("hex").toUpperCase().replace(BYTE, "%$&");
}

const BYTE = /../g;
