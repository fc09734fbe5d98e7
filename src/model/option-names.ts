/**
 * Refuses options that a call does not know: a mistyped `ttl`, or a number in its place, would make a
 * node that stays for ever. @throws TypeError naming the option
 */
export function refuseUnknown(options: unknown, known: readonly string[]): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`options: must be an object with ${known.join(", ")}, not ${options}`);
  }
  for (const name in options) {
    if (known.includes(name)) continue;
    throw new TypeError(`${name}: is not an option of this call; it takes ${known.join(", ")}`);
  }
}
