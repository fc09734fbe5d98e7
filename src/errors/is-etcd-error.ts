import { inspect } from "node:util";
import { ERRORS, type EtcdErrorMap, type EtcdErrorName } from "./error-table.js";
import { EtcdError } from "./etcd-error.js";
import { OptionError } from "./option-error.js";

const ROWS = Object.values(ERRORS);

/** The codes of a class and of its subclasses. */
function codesOf(base: abstract new (...args: never) => unknown): ReadonlySet<string> {
  const rows = ROWS.filter(({ type }) => type === base || type.prototype instanceof base);
  return new Set(rows.map(({ code }) => code));
}

/**
 * Returns whether an error is an `EtcdError`, or an error of the given class or a subclass of it. It
 * compares `code`, so that it also recognizes errors of another copy of the package, where `instanceof`
 * fails.
 *
 * `AbortError` and `OptionError` are not `EtcdError`s. `isEtcdError(error, "Abort")` recognizes
 * `AbortError`, and Node's own.
 *
 * @example
 * if (isEtcdError(error, "KeyNotFound")) console.log(error.key);
 *
 * @throws OptionError for a name that is not in {@link EtcdErrorMap}
 */
export function isEtcdError(error: unknown): error is EtcdError;
export function isEtcdError<Name extends EtcdErrorName>(
  error: unknown,
  name: Name,
): error is EtcdErrorMap[Name];
export function isEtcdError(error: unknown, name?: EtcdErrorName): boolean {
  if (name !== undefined && !Object.hasOwn(ERRORS, name)) {
    throw new OptionError("name", `${inspect(name)} is not a name in EtcdErrorMap`);
  }
  if (!(error instanceof Error && "code" in error && typeof error.code === "string")) return false;
  return codesOf(name === undefined ? EtcdError : ERRORS[name].type).has(error.code);
}
