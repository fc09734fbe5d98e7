import type { Role } from "../../model/auth.js";
import { ROOT } from "./auth-store.js";

/** What a request does with a key. */
export interface Access {
  readonly kind: "read" | "write";
  /** The key as sent: with a trailing slash if there was one, empty if there was nothing. */
  readonly key: string;
  readonly recursive: boolean;
}

/** Whether a role covers what a request does. */
export function covers({ role, permissions }: Role, { kind, key, recursive }: Access): boolean {
  if (role === ROOT) return true;
  return (permissions.kv[kind] ?? []).some((pattern) =>
    pattern.endsWith("*") ? key.startsWith(pattern.slice(0, -1)) : !recursive && key === pattern,
  );
}
