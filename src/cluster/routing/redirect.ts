import { ProtocolError } from "../../errors/cluster-errors.js";
import { AttemptFailure } from "../../wire/attempt-failure.js";
import type { HttpRequest, HttpResponse } from "../../wire/http.js";

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 307, 308]);

/** The limit of etcd's own client. */
export const MAX_REDIRECTS = 10;

/** A redirected request: the same except for origin and path. */
interface Redirected {
  readonly origin: string;
  readonly request: HttpRequest;
}

/** The redirected request, or `undefined` if the response is not a redirect. */
export function redirectOf(request: HttpRequest, response: HttpResponse): Redirected | undefined {
  if (!REDIRECTS.has(response.status)) return undefined;
  const { location } = response.headers;
  const base = new URL(response.endpoint);
  if (typeof location !== "string" || !URL.canParse(location, base.href)) {
    throw redirectFailure(request, response, "has no valid Location header");
  }
  const target = new URL(location, base);
  if (target.protocol !== base.protocol)
    throw redirectFailure(request, response, "changes the scheme between http and https");
  return { origin: target.origin, request: { ...request, path: target.pathname + target.search } };
}

/**
 * The failure for a redirect that is not followed. A server that redirects has not processed the
 * request.
 */
export function redirectFailure(
  request: HttpRequest,
  response: HttpResponse,
  why: string,
): AttemptFailure {
  const error = new ProtocolError(
    `${request.operation} at ${response.endpoint}: the redirect ${why}`,
  );
  return new AttemptFailure("no", error);
}
