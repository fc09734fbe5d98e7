const KEYS = "/v2/keys";
const UNRESERVED_ONLY = /^[\w\-.~/]*$/;
/** RFC 3986's reserved characters that `encodeURIComponent` does not encode. */
const STILL_RESERVED = /[!'()*]/g;

/**
 * Path of a key in the v2 API. Keeps slashes, including a trailing one: auth compares the path as
 * sent.
 */
export function keyPath(key: string): string {
  return KEYS + (UNRESERVED_ONLY.test(key) ? key : key.split("/").map(percentEncode).join("/"));
}

/**
 * Path of a named resource below `base`. Rejects names such as `../auth/enable`: etcd decodes a
 * path before it cleans it, so the request would reach that path.
 *
 * @throws TypeError for a name that is not one step of a path
 */
export function pathOfNamed(base: string, name: string): string {
  if (name === "" || name === "." || name === ".." || name.includes("/")) {
    throw new TypeError(
      `"${name}" is not a valid name: it must be one segment of a path below ${base}`,
    );
  }
  return `${base}/${percentEncode(name)}`;
}

/** Encodes every byte outside RFC 3986's unreserved set. */
export function percentEncode(text: string): string {
  return encodeURIComponent(text).replace(
    STILL_RESERVED,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
