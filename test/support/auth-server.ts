/** The auth and key routes of the server over memory, called with request values instead of HTTP. */

import { AuthStore } from "../../src/auth/auth-store.js";
import { MemoryKeySpace } from "../../src/key-space/memory/memory-key-space.js";
import { AuthGuard } from "../../src/server/auth/auth-guard.js";
import { authRoutes } from "../../src/server/auth/auth-route.js";
import type { ServerReply, ServerRequest } from "../../src/server/http/message.js";
import { Router } from "../../src/server/http/router.js";
import { KeysRoute } from "../../src/server/routes/keys-route.js";
import { decodePath } from "../../src/wire/decode-path.js";

export const CLUSTER_ID = "cdf818194e3a8c32";

export interface AuthRequest {
  readonly method: string;
  /** Path after `/v2`, and query, as sent. */
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
  /** Sends a request to `/v2/auth` or `/v2/keys`. */
  ask(request: AuthRequest): Promise<ServerReply>;
}

export function authServer(): AuthServer {
  const store = new AuthStore(new MemoryKeySpace());
  const guard = new AuthGuard(store);
  const clusterId = async (): Promise<string> => CLUSTER_ID;
  const keySpace = new MemoryKeySpace();
  const keys = new KeysRoute(() => keySpace, guard, clusterId);
  const router = new Router([
    keys.route,
    ...authRoutes(store, (request) => guard.isRoot(request), clusterId),
  ]);
  return {
    store,
    guard,
    async ask(authRequest) {
      const request = requestOf(authRequest);
      const [sent = "", query = ""] = request.target.split("?");
      return router.serve(request, decodePath(sent) ?? "", query);
    },
  };
}

export function requestOf(request: AuthRequest): ServerRequest {
  return {
    method: request.method,
    target: `/v2${request.target}`,
    headers: { authorization: authorizationOf(request) },
    certificateName: request.certificateName,
    body: async () => bodyOf(request) ?? "",
    signal: new AbortController().signal,
  };
}

export function bodyOf({ body }: AuthRequest): string | undefined {
  return typeof body === "object" ? JSON.stringify(body) : body;
}

export function authorizationOf({ as, authorization }: AuthRequest): string | undefined {
  return as === undefined ? authorization : `Basic ${Buffer.from(as).toString("base64")}`;
}
