/** Returns the name by which the user knows an option, e.g. `--cacert` for `ca`. */
export type OptionNames = (option: string) => string;

/** What to do about an error. A function names the options by the names that the user knows. */
export type Hint = string | ((nameOf: OptionNames) => string);

/** The names in the API of the library. */
export const libraryNames: OptionNames = (option) => option;

export function hintText(hint: Hint | undefined, nameOf: OptionNames): string | undefined {
  return typeof hint === "function" ? hint(nameOf) : hint;
}

/** The message of an error: what is wrong, then what to do. */
export function messageOf(problem: string, hint: Hint | undefined, nameOf: OptionNames): string {
  return hint === undefined ? problem : `${problem}; ${hintText(hint, nameOf)}`;
}
