import { ROOT } from "../../auth/auth-store.js";
import type { Role } from "../../model/auth.js";

/** The access to a key that a request needs. */
export interface Access {
  readonly kind: "read" | "write";
  /** The key as sent: a trailing slash is kept; it may be empty. */
  readonly key: string;
  readonly recursive: boolean;
}

/** Whether a role allows an access. */
export function covers({ role, permissions }: Role, { kind, key, recursive }: Access): boolean {
  if (role === ROOT) return true;
  return (permissions.kv[kind] ?? []).some((pattern) =>
    pattern.endsWith("*") ? key.startsWith(pattern.slice(0, -1)) : !recursive && key === pattern,
  );
}
