import { OptionError } from "../errors/option-error.js";
import type { PasswordSource } from "../model/password-source.js";

/**
 * The option `password` as a function. After the function of the caller has returned a password once, its
 * failures leave the last password in use.
 */
export function passwordSourceOf(given: string | (() => string | Promise<string>)): PasswordSource {
  if (typeof given === "string") return given;
  let last: string | undefined;
  return async () => {
    try {
      last = checked(await given());
    } catch (error) {
      if (last === undefined) throw refusalOf(error);
    }
    return last;
  };
}

function checked(password: unknown): string {
  if (typeof password === "string") return password;
  throw new OptionError("password", "the function must return a string or a promise of one");
}

function refusalOf(error: unknown): OptionError {
  if (error instanceof OptionError) return error;
  const reason = error instanceof Error ? error.message : "no reason";
  return new OptionError("password", `the function failed (${reason})`, undefined, error);
}
