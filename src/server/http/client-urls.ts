import { OptionError } from "../../errors/option-error.js";
import type { Member } from "../../model/cluster.js";
import type { ServerRequest } from "./message.js";

/**
 * Returns the client URLs for the response to a request, instead of the members' own. Clients that
 * synchronize their endpoints use these URLs afterwards. Undefined: use the members' own.
 */
export type ClientUrls = (request: ServerRequest) => readonly string[] | undefined;

/**
 * The advertised URLs, the same for all clients. By default, the URL at which each client reached this
 * server.
 *
 * @throws TypeError for a URL that cannot be advertised
 */
export function clientUrls(advertise: readonly string[] | undefined): ClientUrls {
  if (advertise === undefined) return ({ serverUrl: url }) => (url === undefined ? url : [url]);
  if (advertise.length === 0) throw new OptionError("advertise", "must name at least one URL");
  const urls = advertise.map(checkedUrl).sort();
  return () => urls;
}

/** Replaces the URLs of a member. A member that has not started has no URLs. */
export function withClientUrls(member: Member, urls: readonly string[] | undefined): Member {
  if (urls === undefined || member.clientURLs.length === 0) return member;
  return { ...member, clientURLs: urls };
}

/** Without the slash at the end, as etcd shows URLs. */
function checkedUrl(text: string): string {
  if (isServerUrl(text)) return text.replace(/\/$/, "");
  throw new OptionError("advertise", `"${text}" must be a URL such as http://gateway:2379`);
}

/** Only a scheme, a host and an optional port are allowed. */
function isServerUrl(text: string): boolean {
  return /^https?:\/\/[^/?#@\s]+\/?$/i.test(text) && URL.canParse(text);
}
