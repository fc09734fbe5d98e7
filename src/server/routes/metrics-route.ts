import { EtcdError } from "../../errors/etcd-error.js";
import { isEtcdError } from "../../errors/is-etcd-error.js";
import type { ClusterApi } from "../../key-space/cluster-api.js";
import type { CallOptions } from "../../key-space/key-space.js";
import { type Clock, deadline, systemClock } from "../../time/clock.js";
import type { ServerReply } from "../http/message.js";
import type { Route } from "../http/router.js";
import { processFamilies, serverFamilies, storeFamilies } from "../metrics/families.js";
import { type MetricFamily, PROMETHEUS_TYPE, prometheusText } from "../metrics/prometheus-text.js";
import type { RequestMetrics } from "../metrics/request-metrics.js";

/** Milliseconds for what others must be asked: who collects metrics waits for seconds at most. */
const PATIENCE = 1_000;

/** Serves `/metrics` to anybody, by any method. What cannot be learnt now is left out. */
export function metricsRoute(
  api: ClusterApi,
  requests: RequestMetrics,
  more: () => readonly MetricFamily[] = () => [],
  clock = systemClock,
): Route {
  return { path: "/metrics", methods: "", serve: () => metrics(api, requests, more, clock) };
}

async function metrics(
  api: ClusterApi,
  requests: RequestMetrics,
  more: () => readonly MetricFamily[],
  clock: Clock,
): Promise<ServerReply> {
  const [store, server] = await Promise.all([
    known(clock, (options) => api.stats.store(options).then(storeFamilies)),
    known(clock, (options) => serverFamiliesOf(api, options)),
  ]);
  const families = [
    ...store,
    ...requests.families(),
    ...more(),
    ...server,
    ...processFamilies(Date.now()),
  ];
  const headers = ["Content-Type", PROMETHEUS_TYPE];
  return { status: 200, headers, body: prometheusText(families) };
}

async function serverFamiliesOf(
  api: ClusterApi,
  options: CallOptions,
): Promise<readonly MetricFamily[]> {
  const [self, version] = await Promise.all([api.stats.self(options), api.version(options)]);
  return serverFamilies(self, version);
}

async function known(
  clock: Clock,
  ask: (options: CallOptions) => Promise<readonly MetricFamily[]>,
): Promise<readonly MetricFamily[]> {
  const late = new AbortController();
  const cancel = deadline(clock, PATIENCE, () => late.abort());
  try {
    return await ask({ signal: late.signal });
  } catch (error) {
    if (error instanceof EtcdError || isEtcdError(error, "Abort")) return [];
    throw error;
  } finally {
    cancel();
  }
}
