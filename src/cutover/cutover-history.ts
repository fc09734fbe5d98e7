import type { CallOptions } from "../key-space/call-options.js";
import type { PastChange } from "../key-space/past.js";
import { type CutoverRecords, STATE_KEY } from "./cutover-records.js";
import { type CutoverPhase, decodeState } from "./cutover-state.js";

/** The newest ones. */
const MAX_STEPS = 100;

/** A change of the state. */
export interface CutoverStep {
  /** Revision of etcd. */
  readonly revision: number;
  readonly state: "source" | CutoverPhase;
  /** Index up to which the changes of the other cluster count, as in `CutoverStatus`. */
  readonly end: number;
  readonly isFinished: boolean;
}

export interface CutoverHistory {
  /** The newest one first. */
  readonly steps: readonly CutoverStep[];
  /** `false`: etcd has compacted earlier ones, or there are too many. */
  readonly isComplete: boolean;
}

/** The states that a cut-over has had, from the revisions that etcd has not compacted. */
export async function cutoverHistory(
  { keySpace }: CutoverRecords,
  options: CallOptions = {},
): Promise<CutoverHistory> {
  const history = await keySpace.past?.history(STATE_KEY, options);
  if (history === undefined) return { steps: [], isComplete: false };
  let steps: CutoverStep[] = [];
  let count = 0;
  for await (const change of history) {
    const step = stepOf(change);
    // The state is also written for what operators need not know.
    if (step === undefined || isSame(step, steps.at(-1))) continue;
    count++;
    steps = [...steps, step].slice(-MAX_STEPS);
  }
  return { steps: steps.reverse(), isComplete: history.isComplete && count <= MAX_STEPS };
}

/** `undefined` for a value that no process of a cut-over has written. */
function stepOf({ index: revision, node }: PastChange): CutoverStep | undefined {
  const { value } = node;
  // Disarmed before the first switch.
  if (value === undefined) return { revision, state: "source", end: 0, isFinished: false };
  const state = decodeState(value, revision);
  if (state === undefined) return undefined;
  const { phase, end, isFinished } = state;
  return { revision, state: phase, end, isFinished };
}

function isSame(a: CutoverStep, b: CutoverStep | undefined): boolean {
  return a.state === b?.state && a.end === b.end && a.isFinished === b.isFinished;
}
