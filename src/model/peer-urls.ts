import { GoUrlError, parseGoUrl } from "../go/url.js";

/** Invalid peer URLs. The message is etcd's. */
export class PeerUrlError extends Error {}

const SCHEMES: ReadonlySet<string> = new Set(["http", "https", "unix", "unixs"]);
const HOST_AND_PORT = /^(\[[^[\]]*\]|[^:[\]]*):[^:[\]]*$/;

/** Peer URLs in the format that etcd stores, sorted. @throws PeerUrlError */
export function readPeerUrls(urls: readonly string[]): readonly string[] {
  if (urls.length === 0) throw new PeerUrlError("no valid URLs given");
  return urls.map((url) => readPeerUrl(url.trim())).sort();
}

function readPeerUrl(url: string): string {
  const { scheme, host, path, text } = parse(url);
  if (!SCHEMES.has(scheme)) {
    throw new PeerUrlError(`URL scheme must be http, https, unix, or unixs: ${url}`);
  }
  if (!HOST_AND_PORT.test(host)) {
    throw new PeerUrlError(`URL address does not have the form "host:port": ${url}`);
  }
  if (path !== "") throw new PeerUrlError(`URL must not contain a path: ${url}`);
  return text;
}

function parse(url: string): ReturnType<typeof parseGoUrl> {
  try {
    return parseGoUrl(url);
  } catch (error) {
    throw error instanceof GoUrlError ? new PeerUrlError(error.message) : error;
  }
}
