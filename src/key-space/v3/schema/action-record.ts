import { fromBase64, toBase64 } from "../../../etcd3/v3-json.js";
import type { Action } from "../../../model/response.js";
import { isObject, type JsonObject } from "../../../wire/json.js";
import { isReachable } from "./key-schema.js";

/** What a transaction was in terms of v2. */
export interface ActionRecord {
  readonly action: Action;
  /** Path of the node that the event is about. */
  readonly key: string;
  /** Whether that is a directory. */
  readonly dir: boolean;
  /** A refresh, or upkeep: nobody is told. */
  readonly silent: boolean;
}

const ACTIONS: ReadonlySet<unknown> = new Set<Action>([
  "set",
  "create",
  "update",
  "delete",
  "compareAndSwap",
  "compareAndDelete",
  "expire",
]);

/** The record as a value of v3, in base64. */
export function encodeActionRecord({ action, key, dir, silent }: ActionRecord): string {
  return toBase64(JSON.stringify({ action, key, ...(dir && { dir }), ...(silent && { silent }) }));
}

/** The record that a value of v3 holds; nothing for one that this library did not write. */
export function decodeActionRecord(value: unknown): ActionRecord | undefined {
  const { action, key, dir, silent } = readObject(value);
  if (!isAction(action) || typeof key !== "string" || !isReachable(key)) return undefined;
  return { action, key, dir: dir === true, silent: silent === true };
}

function isAction(value: unknown): value is Action {
  return ACTIONS.has(value);
}

function readObject(value: unknown): JsonObject {
  try {
    const record: unknown = JSON.parse(fromBase64(value) ?? "");
    return isObject(record) ? record : {};
  } catch {
    return {};
  }
}
