import type { CutoverRun } from "../src/console/model/page-types.js";
import type { CutoverStatus } from "../src/cutover/cutover-status.js";

type State = CutoverStatus["state"];

export const STATES: Readonly<Record<State, string>> = {
  source: "Gateways serve from v2. The cut-over has not begun.",
  arming: "Gateways serve from v2, and prepare.",
  armed: "Gateways serve from v2, and are ready to switch.",
  holding: "Requests wait while gateways switch to v3.",
  target: "Gateways serve from v3.",
  returning: "Requests wait while gateways return to v2.",
  returned: "Gateways have returned to v2.",
};

type Step = CutoverRun["step"];

/** What runs. */
export const RUNNING: Readonly<Record<Step, string>> = {
  check: "Checking …",
  arm: "Arming the gateways …",
  disarm: "Disarming the gateways …",
  abort: "Ending the hold …",
  rehearse: "Rehearsing the switch …",
  flip: "Switching to v3 …",
  back: "Going back to v2 …",
};

export const DONE: Readonly<Record<Step, string>> = {
  check: "Checked.",
  arm: "The gateways are armed.",
  disarm: "The gateways are disarmed.",
  abort: "The hold has ended.",
  rehearse: "Rehearsed: the gateways go on with v2.",
  flip: "Switched: the gateways serve from v3.",
  back: "Returned: the gateways serve from v2.",
};

export const FAILED: Readonly<Record<Step, string>> = {
  check: "Not checked.",
  arm: "Not armed.",
  disarm: "Not disarmed.",
  abort: "Not ended.",
  rehearse: "Not rehearsed.",
  flip: "Not switched.",
  back: "Not returned.",
};

/** The states after a step, as long as nobody has changed them. */
const AFTER: Readonly<Partial<Record<Step, readonly State[]>>> = {
  arm: ["armed"],
  disarm: ["source", "returned"],
  abort: ["armed", "target"],
  rehearse: ["armed"],
  flip: ["target"],
  back: ["returned"],
};

/** Whether a step that has succeeded still says what is. */
export function isCurrent(step: Step, state: State): boolean {
  return AFTER[step]?.includes(state) !== false;
}

/** What to do after a failure. Others may have changed the state before it, or since. */
export function nextText(step: Step, isUnknown: boolean, state: State): string {
  const isOnV3 = state === "target" || state === "returning";
  if (isUnknown) return step === "flip" || step === "back" ? UNKNOWN : UNKNOWN_STEP;
  if (isOnV3 && (step === "flip" || step === "rehearse")) return ON_V3;
  if (!isOnV3 && step === "back") return ON_V2;
  return NEXT[step];
}

const ON_V3 =
  "The gateways serve from v3 all the same: another process has switched them, such as etcdnet cutover or another console.";
const ON_V2 =
  "The gateways serve from v2 all the same: another process has changed the state, such as etcdnet cutover or another console.";
const UNKNOWN_STEP =
  "A response of etcd is missing. The state above tells what has become of the step, as soon as it can be read.";

/** If the gateways serve from the same cluster as before. */
const NEXT: Readonly<Record<Step, string>> = {
  check: "No key was changed. Correct what the message names, and check again.",
  arm: "Correct what the message names, and arm again.",
  disarm: "Compare the state, and try again.",
  abort: "The gateways end a hold by themselves, when its time has passed.",
  rehearse:
    "The gateways go on with v2. Correct what the message names, and rehearse again: only differences are copied then.",
  flip: "The gateways go on with v2, and nothing is lost. Correct what the message names, check, and switch again: only differences are copied then.",
  back: "The gateways go on with v3, and nothing is lost. Correct what the message names, and go back again.",
};

const UNKNOWN =
  "A response of etcd is missing, so it is unknown whether the gateways have changed to the other cluster. The state above " +
  "tells, as soon as it can be read. While requests wait, the hold ends by itself.";

/** Steps during which requests wait, so that the operator has to confirm them. */
export type ConfirmedStep = "rehearse" | "flip" | "back";

interface Confirmation {
  readonly title: string;
  readonly button: string;
  /** What happens, one after the other. */
  readonly happens: readonly string[];
  readonly failure: string;
}

export const CONFIRMATIONS: Readonly<Record<ConfirmedStep, Confirmation>> = {
  rehearse: {
    title: "Rehearse the switch",
    button: "Rehearse",
    happens: [
      "All keys are copied from v2 to v3 and compared, while applications work.",
      "Then all requests of applications wait, at most for the time that was set when the gateways were armed. The last changes are copied.",
      "The gateways go on with v2. Nothing is switched.",
    ],
    failure: "If a step fails, the gateways go on with v2, and nothing is lost.",
  },
  flip: {
    title: "Switch to v3",
    button: "Switch to v3",
    happens: [
      "All keys are copied from v2 to v3 and compared, while applications work.",
      "Then all requests of applications wait, at most for the time that was set when the gateways were armed. The last changes are copied.",
      "One write decides. From then on, all gateways serve from v3, and the waiting requests continue there. What is written to v2 after that is lost.",
    ],
    failure:
      "If a step fails or takes longer, the gateways go on with v2, and nothing is lost. After the switch, you can go back as long as v2 runs.",
  },
  back: {
    title: "Go back to v2",
    button: "Go back to v2",
    happens: [
      "All keys are copied from v3 to v2 and compared, while applications work. Keys that v3 does not have are removed from v2.",
      "Then all requests of applications wait, at most for the time that was set when the gateways were armed. The last changes are copied.",
      "One write decides. From then on, all gateways serve from v2, and the waiting requests continue there.",
    ],
    failure:
      "If a step fails or takes longer, the gateways go on with v3, and nothing is lost. If a response of v2 is missing then, the next attempt has to wait for minutes.",
  },
};
