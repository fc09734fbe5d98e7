import { isAction } from "../../../model/actions.js";
import type { Action } from "../../../model/response.js";
import { isObject, type JsonObject } from "../../../wire/json.js";
import { isReachable, utf8TextOf } from "./key-schema.js";

/** The v2 action of a transaction. */
export interface ActionRecord {
  readonly action: Action;
  /** Path of the node of the event. */
  readonly key: string;
  /** Whether the node is a directory. */
  readonly dir: boolean;
  /** A refresh or maintenance, which watches do not deliver. */
  readonly silent: boolean;
}

/** Encodes the record as a v3 value. */
export function encodeActionRecord({ action, key, dir, silent }: ActionRecord): string {
  return JSON.stringify({ action, key, ...(dir && { dir }), ...(silent && { silent }) });
}

/** Decodes a v3 value; `undefined` if this library did not write it. */
export function decodeActionRecord(value: Buffer): ActionRecord | undefined {
  const { action, key, dir, silent } = readObject(value);
  if (!isAction(action) || action === "get") return undefined;
  if (typeof key !== "string" || !isReachable(key)) return undefined;
  return { action, key, dir: dir === true, silent: silent === true };
}

function readObject(value: Buffer): JsonObject {
  try {
    const record: unknown = JSON.parse(utf8TextOf(value) ?? "");
    return isObject(record) ? record : {};
  } catch {
    return {};
  }
}
