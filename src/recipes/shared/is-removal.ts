import type { Action } from "../../model/response.js";

/** Whether an event removed its node, and if that is a directory, everything in it. */
export function isRemoval(action: Action): boolean {
  return action === "delete" || action === "expire" || action === "compareAndDelete";
}
