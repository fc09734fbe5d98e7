/** What Go leaves unescaped in a path. */
const PLAIN = /[\w\-.~$&+,/:;=@]/;

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
  let text = "";
  for (const character of path) {
    text += PLAIN.test(character) ? character : encodeCharacter(character);
  }
  return text;
}

function encodeCharacter(character: string): string {
  return [...Buffer.from(character)]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)
    .join("");
}
