import { InvalidValueError, type ValueIssue } from "../../errors/invalid-value-error.js";
import type { EtcdNode } from "../../model/node.js";
import { checkKey } from "../../model/validate.js";
import type { Mirror } from "../mirror/mirror.js";
import { isWithin } from "../shared/key-path.js";
import type { SchemaIssue } from "./config-schema.js";

/** Levels of directories that settings may have: whoever validates or compares them recurses. */
const MAX_DEPTH = 256;

/** @throws TypeError for a key that the mirror can never show */
export function checkSettingsKey(key: string, top: string): void {
  checkKey(key);
  if (key.length > 1 && key.endsWith("/"))
    throw new TypeError(`key: write "${key}" without the "/" at its end`);
  if (!isWithin(key, top)) {
    throw new TypeError(`key: "${key}" is not within ${top}, which is what is mirrored`);
  }
  if (/(?:^|\/)_/.test(key.slice(top.length))) {
    throw new TypeError(`key: "${key}" is hidden below ${top}; make a mirror of the hidden key`);
  }
}

/**
 * A subtree as a value: a directory is an object with what is in it, a file is what `parse` makes of
 * its text. `undefined` when there is no such key.
 *
 * @throws InvalidValueError for a file that `parse` refuses, for a key that no object may have, and
 *   for directories that are nested too deeply
 */
export function settingsAt(
  mirror: Mirror,
  key: string,
  parse: (text: string) => unknown,
  levels = MAX_DEPTH,
): unknown {
  if (mirror.get(key)?.dir !== true) return mirror.value(key, parse);
  if (levels === 0) {
    const message = `settings have at most ${MAX_DEPTH} levels of directories; remove the directory`;
    throw new InvalidValueError([{ key, path: [], message }]);
  }
  return Object.fromEntries(
    mirror
      .list(key)
      .map((child) => [nameOf(child), settingsAt(mirror, child.key, parse, levels - 1)]),
  );
}

/** Validators copy objects property by property, and this one would give the copy a prototype. */
function nameOf({ key }: EtcdNode): string {
  const name = key.slice(key.lastIndexOf("/") + 1);
  if (name !== "__proto__") return name;
  const message = 'no object can safely have a property "__proto__"; delete the key';
  throw new InvalidValueError([{ key, path: [], message }]);
}

/** What a schema complains of, by the keys where it is to be corrected. */
export function complaint(
  mirror: Mirror,
  key: string,
  [first = { message: "is not valid" }, ...others]: readonly SchemaIssue[],
): InvalidValueError {
  const located = (issue: SchemaIssue): ValueIssue => locate(mirror, key, issue);
  return new InvalidValueError([located(first), ...others.map(located)]);
}

/** A path leads through directories, and from a file on into what was parsed. */
function locate(mirror: Mirror, top: string, { message, path = [] }: SchemaIssue): ValueIssue {
  const names = path.map((part) => String(typeof part === "object" ? part.key : part));
  let key = top;
  while (names.length > 0 && mirror.value(key) === undefined) {
    key = `${key === "/" ? "" : key}/${names.shift()}`;
  }
  return { key, path: names, message: mirror.has(key) ? message : `${message} (no such key)` };
}
