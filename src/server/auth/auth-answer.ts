import type { ServerRequest } from "../http/message.js";
import { internalError } from "./auth-refusal.js";

/** What a request of `/v2/auth` is answered when it succeeds; without content, an empty body. */
export interface AuthAnswer {
  readonly status: number;
  readonly content?: unknown;
}

/** Answers a request. @throws AuthRefusal */
export type AuthHandler = (request: ServerRequest) => Promise<AuthAnswer>;

/** What a path takes, by method, in the order in which etcd lists the methods. */
export type AuthHandlers = ReadonlyMap<string, AuthHandler>;

const BAD_QUERY = /;|%(?![\da-f]{2})/i;

/** Some reads look at the query, and trip over one that cannot be read. @throws AuthRefusal */
export function checkQuery({ target }: ServerRequest): void {
  const start = target.indexOf("?");
  if (start !== -1 && BAD_QUERY.test(target.slice(start))) throw internalError();
}
