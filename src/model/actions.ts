import type { KeyRequest } from "./key-request.js";
import type { Action } from "./response.js";

/** The compiler proves that no action is missing. */
const REQUEST_ACTIONS: Readonly<Record<KeyRequest["action"], true>> = {
  get: true,
  set: true,
  create: true,
  update: true,
  delete: true,
  compareAndSwap: true,
  compareAndDelete: true,
};

export const requestActions: readonly string[] = Object.keys(REQUEST_ACTIONS);

const ACTIONS: ReadonlySet<unknown> = new Set(
  Object.keys({ ...REQUEST_ACTIONS, expire: true } satisfies Record<Action, true>),
);

/** Whether a value is the action of a response or an event. */
export function isAction(value: unknown): value is Action {
  return ACTIONS.has(value);
}

/** Whether an action removes its node, and if that is a directory, everything in it. */
export function isRemoval(action: Action): boolean {
  return action === "delete" || action === "expire" || action === "compareAndDelete";
}
