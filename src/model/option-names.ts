import { OptionError } from "../errors/option-error.js";
import { similarName } from "../errors/similar-name.js";

/** Has each option of `T`, and no other name: the compiler proves it. */
export type KnownOptions<T> = Readonly<Record<keyof T, unknown>>;

/**
 * Refuses unknown options: if a mistyped `ttl`, or a number instead of the options, were ignored, a node
 * would never expire.
 *
 * @param owner name of the option that contains them; absent: they are the options of a call
 * @throws OptionError
 */
export function refuseUnknown<T>(
  options: T,
  known: KnownOptions<NoInfer<T>>,
  owner?: string,
): void {
  if (typeof options !== "object" || options === null) {
    const problem = `must be an object with ${namesOf(known)}, not ${options}`;
    throw new OptionError(owner ?? "options", problem);
  }
  for (const name in options) {
    if (Object.hasOwn(known, name)) continue;
    const field = owner === undefined ? name : `${owner}.${name}`;
    const meant = similarName(name, Object.keys(known));
    const question = meant === undefined ? "" : ` (did you mean ${meant}?)`;
    throw new OptionError(
      field,
      `is not an option of ${owner ?? "this call"}${question}`,
      `it takes ${namesOf(known)}`,
    );
  }
}

function namesOf(known: object): string {
  return Object.keys(known).join(", ");
}
