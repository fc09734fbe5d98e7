/** Splits `user:password`. */
export function splitUser(text: string): { readonly user: string; readonly password?: string } {
  const colon = text.indexOf(":");
  if (colon === -1) return { user: text };
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
