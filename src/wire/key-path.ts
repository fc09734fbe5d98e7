const KEYS = "/v2/keys";
const UNRESERVED_ONLY = /^[\w\-.~/]*$/;
/** What `encodeURIComponent` leaves alone although RFC 3986 reserves it. */
const STILL_RESERVED = /[!'()*]/g;

/** Path of a key in the v2 API. Slashes stay, also a trailing one: auth compares paths as sent. */
export function keyPath(key: string): string {
  return KEYS + (UNRESERVED_ONLY.test(key) ? key : key.split("/").map(percentEncode).join("/"));
}

/**
 * Path of what has a name below `base`. etcd decodes a path before it cleans it: a name such as
 * `../auth/enable` would lead a request there.
 *
 * @throws TypeError for a name that is not one step of a path
 */
export function pathOfNamed(base: string, name: string): string {
  if (name === "" || name === "." || name === ".." || name.includes("/")) {
    throw new TypeError(`"${name}" is no name: it must be one step of a path below ${base}`);
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
