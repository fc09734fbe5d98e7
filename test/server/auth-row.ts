import type { AuthRequest } from "../support/auth-server.js";

type Details = Pick<AuthRequest, "body" | "as" | "authorization">;

/** Title, method, target below `/v2`, and headers or body. */
export type AuthRow = readonly [what: string, request: string, details?: Details];
