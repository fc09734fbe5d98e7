import { type AuthStore, ROOT } from "../../auth/auth-store.js";
import { RequestError } from "../http/request-error.js";
import type { AuthHandler, AuthHandlers, AuthResponse } from "./auth-response.js";

/** Handlers of `/v2/auth/enable`. */
export function enableHandlers(store: AuthStore): AuthHandlers {
  return new Map<string, AuthHandler>([
    ["GET", async () => ({ status: 200, content: { enabled: await store.isEnabled() } })],
    ["PUT", () => enable(store)],
    ["DELETE", () => disable(store)],
  ]);
}

async function enable(store: AuthStore): Promise<AuthResponse> {
  if (await store.isEnabled()) throw new RequestError(409, "auth: already enabled");
  if ((await store.user(ROOT)) === undefined) {
    throw new RequestError(409, "auth: No root user available, please create one");
  }
  await store.ensureGuestRole();
  await store.setEnabled(true);
  return { status: 200 };
}

async function disable(store: AuthStore): Promise<AuthResponse> {
  if (!(await store.isEnabled())) throw new RequestError(409, "auth: already disabled");
  await store.setEnabled(false);
  return { status: 200 };
}
