import { type AuthStore, ROOT } from "./auth-store.js";
import { hashPassword } from "./password.js";
import { unlessDamaged } from "./records.js";

/**
 * Turns auth on from the start, with a password for user `root`. Unlike a request to enable it,
 * this makes no role `guest`: who has no credentials may do nothing until somebody allows it.
 */
export async function enforceAuth(store: AuthStore, rootPassword: string): Promise<void> {
  const passwordHash = await hashPassword(rootPassword);
  const change = store.updateUser(ROOT, (user) => ({ ...user, passwordHash }));
  if ((await unlessDamaged(change)) === undefined) {
    await store.replaceUser({ user: ROOT, passwordHash, roles: null });
  }
  await store.setEnabled(true);
}
