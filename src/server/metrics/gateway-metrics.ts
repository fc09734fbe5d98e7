import type { V3Figures } from "../../key-space/v3/v3-key-space.js";
import type { MetricFamily } from "./prometheus-text.js";

/** How far watches are behind, and how well reads are batched. */
export function gatewayFamilies(figures: V3Figures): readonly MetricFamily[] {
  const { watchers, held, index, newest, batches, batched } = figures;
  const lag = watchers === 0 ? 0 : Math.max(0, newest - index);
  return [
    family("etcdnet_watchers", "gauge", "Watches that wait now.", watchers),
    family("etcdnet_events_held", "gauge", "Events held for watches that come late.", held),
    family("etcdnet_watch_index", "gauge", "Index up to which watches were told.", index),
    family(
      "etcdnet_watch_lag_revisions",
      "gauge",
      "Revisions of the whole cluster since that index, other keys' included.",
      lag,
    ),
    family("etcdnet_read_batches_total", "counter", "Transactions made of reads.", batches),
    family("etcdnet_batched_reads_total", "counter", "Reads sent in them.", batched),
  ];
}

function family(
  name: string,
  type: "gauge" | "counter",
  help: string,
  value: number,
): MetricFamily {
  return { name, type, help, samples: [{ value }] };
}
