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
    "cutover-stop": writing(async () => {
      runs.stop();
      return {};
    }),
  };
}

/** Empty for a cluster whose v2 API is used. */
async function showCutover({ session }: ConsoleRequest, runs: CutoverRuns): Promise<CutoverAnswer> {
  const store = session.v3Store();
  if (store === undefined) return {};
  // Only for users who may read the records: steps tell of keys and clients.
  const status = await cutoverStatus(store.cutover);
  return { status, ...runs.shown() };
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
  runs.start(stepRequestIn(await readJson(message)), session.options);
  return {};
}
