/**
 * Refuses options that a call does not know: a mistyped `ttl`, or a number in place of the options, would
 * create a node that never expires.
 *
 * @param owner the option that these are the options of, if it is not the call itself
 * @throws TypeError naming the option
 */
export function refuseUnknown(options: unknown, known: readonly string[], owner?: string): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(
      `${owner ?? "options"}: must be an object with ${known.join(", ")}, not ${options}`,
    );
  }
  for (const name in options) {
    if (known.includes(name)) continue;
    const field = owner === undefined ? name : `${owner}.${name}`;
    throw new TypeError(
      `${field}: is not an option of ${owner ?? "this call"}; it takes ${known.join(", ")}`,
    );
  }
}
