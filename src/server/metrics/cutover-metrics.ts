import type { CutoverMembership } from "../../cutover/membership.js";
import { type MetricFamily, metric } from "./prometheus-text.js";

/** The part of this gateway in a cut-over. @param lateChanges changes of v2 after its end */
export function cutoverFamilies(
  { state, side }: CutoverMembership,
  lateChanges: number,
): readonly MetricFamily[] {
  return [
    metric(
      "etcdnet_cutover_phase",
      "gauge",
      "Always 1; the label is the phase of the cut-over that this gateway knows.",
      1,
      { phase: state === undefined ? "unknown" : (state?.phase ?? "source") },
    ),
    metric(
      "etcdnet_cutover_serving",
      "gauge",
      "1 if this gateway may serve requests now, else 0.",
      Number(side !== undefined),
    ),
    metric(
      "etcdnet_cutover_way_back",
      "gauge",
      "1 if the gateways serve from v3 and can return to v2, else 0.",
      Number(state?.phase === "target" && !state.isFinished),
    ),
    metric(
      "etcdnet_cutover_late_changes_total",
      "counter",
      "Changes of v2 after its end, which are not on v3.",
      lateChanges,
    ),
  ];
}
