import type { V3Metrics } from "../../key-space/v3/v3-key-space.js";
import type { MemberState } from "../probes/member-state.js";
import { type MetricFamily, metric } from "./prometheus-text.js";

/** Lag of the watches, batching of the reads, and state of the members. */
export function gatewayFamilies(
  metrics: V3Metrics,
  members: readonly MemberState[],
): readonly MetricFamily[] {
  const { watchers, held, index, newest, batches, batched } = metrics;
  const lag = watchers === 0 ? 0 : Math.max(0, newest - index);
  return [
    watchersFamily(watchers),
    metric(
      "etcdnet_events_held",
      "gauge",
      "Events kept for watches that start at an earlier index.",
      held,
    ),
    metric(
      "etcdnet_watch_index",
      "gauge",
      "Index up to which events were delivered to watches.",
      index,
    ),
    metric(
      "etcdnet_watch_lag_revisions",
      "gauge",
      "Revisions of the cluster after that index, including those of other keys.",
      lag,
    ),
    metric("etcdnet_read_batches_total", "counter", "Transactions that batch reads.", batches),
    metric("etcdnet_batched_reads_total", "counter", "Reads sent in such transactions.", batched),
    memberFamily(members),
  ];
}

export function watchersFamily(watchers: number): MetricFamily {
  return metric("etcdnet_watchers", "gauge", "Open watches.", watchers);
}

export function memberFamily(members: readonly MemberState[]): MetricFamily {
  return {
    name: "etcdnet_member_up",
    type: "gauge",
    help: "1 if the endpoint served the last read of the readiness check, else 0.",
    samples: members.map(({ endpoint, error }) => ({
      labels: { endpoint },
      value: Number(error === undefined),
    })),
  };
}
