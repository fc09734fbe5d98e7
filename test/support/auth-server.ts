/** Auth and keys of the server, driven by request values, over memory. */

import { MemoryKeySpace } from "../../src/key-space/memory/memory-key-space.js";
import { AuthGuard } from "../../src/server/auth/auth-guard.js";
import { authRoutes } from "../../src/server/auth/auth-route.js";
import { AuthStore } from "../../src/server/auth/auth-store.js";
import type { ServerReply, ServerRequest } from "../../src/server/http/message.js";
import { Router } from "../../src/server/http/router.js";
import { KeysRoute } from "../../src/server/routes/keys-route.js";
import { decodePath } from "../../src/wire/decode-path.js";

export const CLUSTER_ID = "cdf818194e3a8c32";

export interface AuthQuestion {
  readonly method: string;
  /** Path behind `/v2`, and query, as sent. */
  readonly target: string;
  /** An object is sent as JSON. */
  readonly body?: object | string;
  /** `user:password`, sent as Basic credentials. */
  readonly as?: string;
  /** Another `Authorization` header. */
  readonly authorization?: string;
  /** Common Name of a client certificate. */
  readonly certificateName?: string;
}

export interface AuthServer {
  readonly store: AuthStore;
  readonly guard: AuthGuard;
  /** Asks `/v2/auth` or `/v2/keys`. */
  ask(question: AuthQuestion): Promise<ServerReply>;
}

export function authServer(): AuthServer {
  const store = new AuthStore(new MemoryKeySpace());
  const guard = new AuthGuard(store);
  const clusterId = async (): Promise<string> => CLUSTER_ID;
  const keys = new KeysRoute(new MemoryKeySpace(), guard, clusterId);
  const router = new Router([
    keys.route,
    ...authRoutes(store, (request) => guard.isRoot(request), clusterId),
  ]);
  return {
    store,
    guard,
    async ask(question) {
      const request = requestOf(question);
      const [sent = "", query = ""] = request.target.split("?");
      return router.serve(request, decodePath(sent) ?? "", query);
    },
  };
}

export function requestOf(question: AuthQuestion): ServerRequest {
  return {
    method: question.method,
    target: `/v2${question.target}`,
    headers: { authorization: authorizationOf(question) },
    certificateName: question.certificateName,
    body: async () => bodyOf(question) ?? "",
    signal: new AbortController().signal,
  };
}

export function bodyOf({ body }: AuthQuestion): string | undefined {
  return typeof body === "object" ? JSON.stringify(body) : body;
}

export function authorizationOf({ as, authorization }: AuthQuestion): string | undefined {
  return as === undefined ? authorization : `Basic ${Buffer.from(as).toString("base64")}`;
}
