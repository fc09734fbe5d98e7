import { OptionError } from "../errors/option-error.js";
/**
 * Refuses unknown options: if a mistyped `ttl`, or a number instead of the options, were ignored, a node
 * would never expire.
 *
 * @param owner name of the option that contains them; absent: they are the options of a call
 * @throws TypeError naming the option
 */
export function refuseUnknown(options: unknown, known: readonly string[], owner?: string): void {
  if (typeof options !== "object" || options === null) {
    throw new OptionError(
      owner ?? "options",
      `must be an object with ${known.join(", ")}, not ${options}`,
    );
  }
  for (const name in options) {
    if (known.includes(name)) continue;
    const field = owner === undefined ? name : `${owner}.${name}`;
    throw new OptionError(
      field,
      `is not an option of ${owner ?? "this call"}`,
      `it takes ${known.join(", ")}`,
    );
  }
}
