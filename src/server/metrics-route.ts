import { EtcdError } from "../errors/etcd-error.js";
import type { ClusterApi } from "../key-space/cluster-api.js";
import type { ServerReply } from "./message.js";
import { processFamilies, serverFamilies, storeFamilies } from "./metrics.js";
import { type MetricFamily, PROMETHEUS_TYPE, prometheusText } from "./prometheus-text.js";
import type { RequestMetrics } from "./request-metrics.js";
import type { Route } from "./router.js";

/** Serves `/metrics` to anybody, by any method. What cannot be learnt now is left out. */
export function metricsRoute(
  api: ClusterApi,
  requests: RequestMetrics,
  more: () => readonly MetricFamily[] = () => [],
): Route {
  return { path: "/metrics", methods: "", serve: () => metrics(api, requests, more) };
}

async function metrics(
  api: ClusterApi,
  requests: RequestMetrics,
  more: () => readonly MetricFamily[],
): Promise<ServerReply> {
  const families = [
    ...(await known(api.stats.store().then(storeFamilies))),
    ...requests.families(),
    ...more(),
    ...(await known(serverFamiliesOf(api))),
    ...processFamilies(Date.now()),
  ];
  const headers = { "Content-Type": PROMETHEUS_TYPE };
  return { status: 200, headers, body: prometheusText(families) };
}

async function serverFamiliesOf(api: ClusterApi): Promise<readonly MetricFamily[]> {
  const [self, version] = await Promise.all([api.stats.self(), api.version()]);
  return serverFamilies(self, version);
}

async function known(families: Promise<readonly MetricFamily[]>): Promise<readonly MetricFamily[]> {
  try {
    return await families;
  } catch (error) {
    if (error instanceof EtcdError) return [];
    throw error;
  }
}
