import { type AuthStore, ROOT } from "../../auth/auth-store.js";
import { hashPassword } from "../../auth/password.js";
import { unlessDamaged } from "../../auth/records.js";

/**
 * Turns auth on at the start, with a password for user `root`. Unlike a request to enable auth, this does
 * not create the role `guest`: requests without credentials are refused until the role exists.
 */
export async function enforceAuth(store: AuthStore, rootPassword: string): Promise<void> {
  const passwordHash = await hashPassword(rootPassword);
  const change = store.updateUser(ROOT, (user) => ({ ...user, passwordHash }));
  if ((await unlessDamaged(change)) === undefined) {
    await store.replaceUser({ user: ROOT, passwordHash, roles: null });
  }
  await store.setEnabled(true);
}
