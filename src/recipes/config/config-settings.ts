import { InvalidValueError, type ValueIssue } from "../../errors/invalid-value-error.js";
import { OptionError } from "../../errors/option-error.js";
import type { EtcdNode } from "../../model/node.js";
import { checkKey } from "../../model/validate.js";
import type { Mirror } from "../mirror/mirror.js";
import { isWithin } from "../shared/key-path.js";
import type { SchemaIssue } from "./config-schema.js";

/** Levels of directories in settings. The limit exists because schemas and comparisons recurse. */
const MAX_SETTINGS_LEVELS = 256;

/** @throws TypeError for a key that the mirror can never show */
export function checkSettingsKey(key: string, top: string): void {
  checkKey(key);
  if (key.length > 1 && key.endsWith("/"))
    throw new OptionError("key", `"${key}" must not end with "/"`);
  if (!isWithin(key, top)) {
    throw new OptionError("key", `"${key}" is not within the mirrored key ${top}`);
  }
  if (/(?:^|\/)_/.test(key.slice(top.length))) {
    throw new OptionError(
      "key",
      `"${key}" is hidden, so the mirror of ${top} does not contain it`,
      "create a mirror of the hidden key",
    );
  }
}

/**
 * Converts a subtree to a value: a directory to an object with its children, a file to the result of
 * `parse`. Returns `undefined` when the key does not exist.
 *
 * @throws InvalidValueError when `parse` throws, for a key named `__proto__`, and for directories
 *   that are nested too deeply
 */
export function settingsAt(
  mirror: Mirror,
  key: string,
  parse: (text: string) => unknown,
  levels = MAX_SETTINGS_LEVELS,
): unknown {
  if (mirror.get(key)?.dir !== true) return mirror.value(key, parse);
  if (levels === 0) {
    const message = `more than ${MAX_SETTINGS_LEVELS} levels of directories; remove the directory`;
    throw new InvalidValueError([{ key, path: [], message }]);
  }
  return Object.fromEntries(
    mirror
      .list(key)
      .map((child) => [nameOf(child), settingsAt(mirror, child.key, parse, levels - 1)]),
  );
}

/** Validators copy objects property by property. Copying `__proto__` would set the copy's prototype. */
function nameOf({ key }: EtcdNode): string {
  const name = key.slice(key.lastIndexOf("/") + 1);
  if (name !== "__proto__") return name;
  const message = 'an object cannot safely have a property "__proto__"; delete the key';
  throw new InvalidValueError([{ key, path: [], message }]);
}

/** The issues of a schema as an error that names the keys to correct. */
export function validationError(
  mirror: Mirror,
  key: string,
  [first = { message: "is not valid" }, ...others]: readonly SchemaIssue[],
): InvalidValueError {
  const located = (issue: SchemaIssue): ValueIssue => locate(mirror, key, issue);
  return new InvalidValueError([located(first), ...others.map(located)]);
}

/** Finds the key of an issue. Its path leads through directories to a file, and then into the parsed value. */
function locate(mirror: Mirror, top: string, { message, path = [] }: SchemaIssue): ValueIssue {
  const names = path.map((part) => String(typeof part === "object" ? part.key : part));
  let key = top;
  while (names.length > 0 && mirror.value(key) === undefined) {
    key = `${key === "/" ? "" : key}/${names.shift()}`;
  }
  return {
    key,
    path: names,
    message: mirror.has(key) ? message : `${message} (the key does not exist)`,
  };
}
