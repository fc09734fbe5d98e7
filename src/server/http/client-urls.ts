import type { Member } from "../../model/cluster.js";
import type { ServerRequest } from "./message.js";

/**
 * The URLs that clients are told in place of the members' own, in answer to this request: clients
 * that synchronise their endpoints go on with them. Undefined: the members' own.
 */
export type ClientUrls = (request: ServerRequest) => readonly string[] | undefined;

/**
 * The URLs that are advertised, to everybody; without any, the one at which each client reached
 * this server.
 *
 * @throws TypeError for a URL that cannot be advertised
 */
export function clientUrls(advertise: readonly string[] | undefined): ClientUrls {
  if (advertise === undefined) return ({ serverUrl: url }) => (url === undefined ? url : [url]);
  if (advertise.length === 0) throw new TypeError("advertise: must name at least one URL");
  const urls = advertise.map(checkedUrl).sort();
  return () => urls;
}

/** Any of the URLs leads to every member. A member that has not started yet has none. */
export function withClientUrls(member: Member, urls: readonly string[] | undefined): Member {
  if (urls === undefined || member.clientURLs.length === 0) return member;
  return { ...member, clientURLs: urls };
}

/** Without the slash at the end, as etcd shows URLs. */
function checkedUrl(text: string): string {
  if (isServerUrl(text)) return text.replace(/\/$/, "");
  throw new TypeError(`advertise: "${text}" must be a URL such as http://gateway:2379`);
}

/** Scheme, host and perhaps a port, nothing else. */
function isServerUrl(text: string): boolean {
  return /^https?:\/\/[^/?#@\s]+\/?$/i.test(text) && URL.canParse(text);
}
