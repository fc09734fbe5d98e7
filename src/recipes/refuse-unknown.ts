import { inspect } from "node:util";

/** A mistyped option would be ignored without a word. @throws TypeError naming it */
export function refuseUnknown(options: unknown, known: readonly string[], recipe: string): void {
  if (typeof options !== "object" || options === null) {
    const names = known.join(", ");
    throw new TypeError(`options: must be an object with ${names}, not ${inspect(options)}`);
  }
  for (const name in options) {
    if (known.includes(name)) continue;
    throw new TypeError(`${name}: is not an option of ${recipe}; it takes ${known.join(", ")}`);
  }
}
