import type { MigrationProgress } from "../transfer/migrate/migration-progress.js";
import { isCount } from "../wire/json.js";
import { objectIn } from "./cutover-state.js";

const PHASES = ["checking", "copying", "verifying", "following"] as const;

/** How far a copy to the other cluster has got. */
export interface CopyStatus {
  readonly to: "v3" | "v2";
  readonly phase: MigrationProgress["phase"];
  /** Nodes that this phase has compared. */
  readonly compared: number;
  /** Nodes of the cluster that serves, when they were counted. */
  readonly total: number;
  /** Changed keys that are not copied yet. */
  readonly waiting: number;
}

/** `undefined` for a text that nobody has written as a status. */
export function decodeCopyStatus(text: string): CopyStatus | undefined {
  const { to, phase, compared, total, waiting } = objectIn(text);
  const known = PHASES.find((each) => each === phase);
  if ((to !== "v3" && to !== "v2") || known === undefined) return undefined;
  if (!isCount(compared) || !isCount(total) || !isCount(waiting)) return undefined;
  return { to, phase: known, compared, total, waiting };
}
