import type { ServerRequest } from "../http/message.js";
import { internalError } from "../http/request-error.js";

/** The response to a successful request of `/v2/auth`; without content, the body is empty. */
export interface AuthResponse {
  readonly status: number;
  readonly content?: unknown;
}

/** Serves a request; `name` is the user or role in its path. @throws RequestError */
export type AuthHandler = (request: ServerRequest, name: string) => Promise<AuthResponse>;

/** Handlers of a path by method, in the order of etcd's `Allow`. */
export type AuthHandlers = ReadonlyMap<string, AuthHandler>;

const BAD_QUERY = /;|%(?![\da-f]{2})/i;

/** Some reads of etcd parse the query and fail if it is invalid. @throws RequestError */
export function checkQuery({ target }: ServerRequest): void {
  const start = target.indexOf("?");
  if (start !== -1 && BAD_QUERY.test(target.slice(start))) throw internalError();
}
