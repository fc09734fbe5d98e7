import type { Action } from "../../model/response.js";

/** Whether an event took its node away, and with a directory all that was in it. */
export function isRemoval(action: Action): boolean {
  return action === "delete" || action === "expire" || action === "compareAndDelete";
}
