import { cutoverStatus } from "../../cutover/cutover-status.js";
import type { CutoverAnswer } from "../model/page-types.js";
import type { ConsoleRequest } from "./route.js";

/** The state of a cut-over of gateways to this v3 cluster; empty where there is none. */
export async function showCutover({ session }: ConsoleRequest): Promise<CutoverAnswer> {
  const store = session.v3Store();
  if (store === undefined) return {};
  const status = await cutoverStatus(store.cutover);
  const hasBegun = status.state !== "source" || status.gateways.length > 0;
  return hasBegun ? { status } : {};
}
