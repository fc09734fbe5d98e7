import { type CutoverHistory, cutoverHistory } from "../../cutover/cutover-history.js";
import { cutoverStatus } from "../../cutover/cutover-status.js";
import type { CutoverRuns } from "../cutover/cutover-runs.js";
import { stepRequestIn } from "../cutover/cutover-steps.js";
import { ConsoleError, readJson } from "../http/json-exchange.js";
import { ReadOnlyError } from "../http/v3-store.js";
import type { CutoverAnswer } from "../model/page-types.js";
import { type ConsoleRequest, type Route, reading, writing } from "./route.js";

/** The state of a cut-over of gateways to this v3 cluster, and its steps. */
export function cutoverRoutes(runs: CutoverRuns): Readonly<Record<string, Route>> {
  return {
    cutover: reading((request) => showCutover(request, runs)),
    "cutover-history": reading(showHistory),
    "cutover-step": writing((request) => startStep(request, runs)),
    "cutover-stop": writing((request) => stopStep(request, runs)),
  };
}

/** Empty for a cluster whose v2 API is used. */
async function showCutover({ session }: ConsoleRequest, runs: CutoverRuns): Promise<CutoverAnswer> {
  const store = session.v3Store();
  if (store === undefined) return {};
  // Before the status, so that a step that has ended is shown with the state after it.
  const shown = runs.shown();
  // Only for users who may read the records: steps tell of keys and clients.
  const status = await cutoverStatus(store.cutover);
  return { status, ...shown };
}

async function showHistory({ session, signal }: ConsoleRequest): Promise<CutoverHistory> {
  const store = session.v3Store();
  if (store === undefined) throw new ConsoleError(409, "only v3 has a cut-over");
  try {
    return await cutoverHistory(store.cutover, { signal });
  } catch (error) {
    // Only where no record has changed, a history writes to find its end.
    if (error instanceof ReadOnlyError) return { steps: [], isComplete: false };
    throw error;
  }
}

/** Starts a step. The page that has asked for it may close meanwhile. */
async function startStep({ session, message }: ConsoleRequest, runs: CutoverRuns): Promise<object> {
  const request = stepRequestIn(await readJson(message));
  // A step of somebody else would replace the outcome of the last one.
  await session.v3Store()?.cutover.read();
  runs.start(request, session.options);
  return {};
}

async function stopStep({ session }: ConsoleRequest, runs: CutoverRuns): Promise<object> {
  // The user who has started it can stop it while v3 cannot be read.
  if (!runs.isOf(session.user)) await session.v3Store()?.cutover.read();
  runs.stop();
  return {};
}
