import { arm, DEFAULT_HOLD_MS, disarm } from "../../cutover/arm.js";
import { back } from "../../cutover/back.js";
import { check, DEFAULT_OBSERVE_MS } from "../../cutover/check.js";
import { abort, flip } from "../../cutover/flip.js";
import type { CutoverSource } from "../../cutover/open-source.js";
import type { CutoverTarget } from "../../cutover/open-target.js";
import type { MigrateOptions } from "../../transfer/migrate/migrate-options.js";
import { ConsoleError, optionalIndex, textIn } from "../http/json-exchange.js";
import type { CutoverResult, CutoverRun } from "../model/page-types.js";

export type StepName = CutoverRun["step"];

/** What a page has asked for. */
export interface StepRequest {
  readonly step: StepName;
  /** Milliseconds. */
  readonly hold: number;
  /** Milliseconds. */
  readonly observe: number;
  readonly gateways: number;
}

/** What the run of a step tells of itself. */
interface StepCallbacks extends Pick<MigrateOptions, "onLoss" | "onProgress"> {
  readonly signal: AbortSignal;
}

type Step = (
  source: CutoverSource,
  target: CutoverTarget,
  request: StepRequest,
  callbacks: StepCallbacks,
) => Promise<CutoverResult>;

/** The steps of a cut-over, as `etcdnet cutover` carries them out. */
export const STEPS: Readonly<Record<StepName, Step>> = {
  check: async ({ client, memberAt }, target, { hold, observe }, { onProgress, signal }) => {
    const startedIn = (await target.records.read())?.phase ?? "source";
    const options = { hold, observe, memberAt, onProgress, signal };
    return { check: { ...(await check(client, target, options)), state: startedIn } };
  },
  arm: async ({ client, memberAt, user }, target, { gateways, hold }) => {
    await arm(client, target, { gateways, hold, memberAt, user });
    return {};
  },
  disarm: async (_source, target) => {
    await disarm(target);
    return {};
  },
  abort: async (_source, target) => {
    await abort(target);
    return {};
  },
  rehearse: async ({ client, memberAt }, target, _request, callbacks) => ({
    moved: await flip(client, target, { memberAt, rehearse: true, ...callbacks }),
  }),
  flip: async ({ client, memberAt }, target, _request, callbacks) => ({
    moved: await flip(client, target, { memberAt, ...callbacks }),
  }),
  back: async ({ client, memberAt, guest }, target, _request, callbacks) => ({
    moved: await back(client, target, { memberAt, guest, ...callbacks }),
  }),
};

/** Steps during which requests wait. The operator has written their names. */
const CONFIRMED: readonly StepName[] = ["rehearse", "flip", "back"];
const MAX_SECONDS = 24 * 60 * 60;

/** @throws ConsoleError */
export function stepRequestIn(body: Readonly<Record<string, unknown>>): StepRequest {
  const name = textIn(body, "step");
  const step = (Object.keys(STEPS) as StepName[]).find((each) => each === name);
  if (step === undefined) throw new ConsoleError(400, "there is no such step");
  if (CONFIRMED.includes(step) && body.confirmation !== step) {
    throw new ConsoleError(400, `the confirmation must be ${step}`);
  }
  const gateways = optionalIndex(body, "gateways") ?? 0;
  if (step === "arm" && gateways === 0) throw new ConsoleError(400, "gateways is missing");
  return {
    ...{ step, gateways },
    hold: millisecondsIn(body, "hold", DEFAULT_HOLD_MS),
    observe: millisecondsIn(body, "observe", DEFAULT_OBSERVE_MS),
  };
}

/** The page sends seconds. */
function millisecondsIn(
  body: Readonly<Record<string, unknown>>,
  name: string,
  absent: number,
): number {
  const seconds = optionalIndex(body, name);
  if (seconds === undefined) return absent;
  if (seconds > MAX_SECONDS) throw new ConsoleError(400, `${name} is too long`);
  return seconds * 1000;
}
