import type { AuthRequest } from "../support/auth-server.js";

type Details = Pick<AuthRequest, "body" | "as" | "authorization">;

/** What it is about, method and target behind `/v2`, and what comes with it. */
export type AuthRow = readonly [what: string, request: string, details?: Details];
