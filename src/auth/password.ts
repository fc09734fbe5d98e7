import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

const derive = promisify<string | Buffer, Buffer, number, Buffer>(scrypt);
const SALT_BYTES = 16;
const KEY_BYTES = 32;

/** A hash that matches no password, so that the check of an unknown user takes the same time. */
export const UNKNOWN_USER_HASH = textOf(Buffer.alloc(SALT_BYTES), Buffer.alloc(KEY_BYTES));

/** Whether a value has the form of a hash from {@link hashPassword}. */
export function isPasswordHash(hash: unknown): hash is string {
  if (typeof hash !== "string") return false;
  const { salt, key } = partsOf(hash);
  return salt.length === SALT_BYTES && key.length === KEY_BYTES && hash === textOf(salt, key);
}

/** A salted scrypt hash of a password, as text. */
export async function hashPassword(password: string | Buffer): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  return textOf(salt, await derive(password, salt, KEY_BYTES));
}

/** Whether a password, as sent, matches a hash. The time does not depend on the result. */
export async function verifyPassword(password: Buffer, hash: string): Promise<boolean> {
  const { salt, key } = partsOf(hash);
  return timingSafeEqual(await derive(password, salt, KEY_BYTES), key);
}

function partsOf(hash: string): { readonly salt: Buffer; readonly key: Buffer } {
  const [, salt = "", key = ""] = hash.split(":");
  return { salt: Buffer.from(salt, "base64"), key: Buffer.from(key, "base64") };
}

function textOf(salt: Buffer, key: Buffer): string {
  return `scrypt:${salt.toString("base64")}:${key.toString("base64")}`;
}
