import { ProtocolError } from "../../errors/cluster-errors.js";
import { AttemptFailure } from "../../wire/attempt-failure.js";
import type { HttpReply, HttpRequest } from "../../wire/http.js";

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 307, 308]);

/** As many as etcd's own client follows. */
export const MAX_REDIRECTS = 10;

/** A request that goes on elsewhere, as it was but for its path. */
interface Redirected {
  readonly origin: string;
  readonly request: HttpRequest;
}

/** Where a reply sends its request, or `undefined` for a reply that is the answer. */
export function redirectOf(request: HttpRequest, reply: HttpReply): Redirected | undefined {
  if (!REDIRECTS.has(reply.status)) return undefined;
  const { location } = reply.headers;
  const base = new URL(reply.endpoint);
  if (typeof location !== "string" || !URL.canParse(location, base.href)) {
    throw refused(request, reply, "leads nowhere");
  }
  const target = new URL(location, base);
  if (target.protocol !== base.protocol) throw refused(request, reply, "leads to another scheme");
  return { origin: target.origin, request: { ...request, path: target.pathname + target.search } };
}

/** A redirect that is not followed. Whoever redirects has not processed the request. */
export function refused(request: HttpRequest, reply: HttpReply, why: string): AttemptFailure {
  const error = new ProtocolError(`${request.operation} at ${reply.endpoint}: the redirect ${why}`);
  return new AttemptFailure("no", error);
}
