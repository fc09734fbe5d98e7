import { EtcdError } from "../../errors/etcd-error.js";
import { isEtcdError } from "../../errors/is-etcd-error.js";
import type { CallOptions } from "../../key-space/call-options.js";
import type { ClusterApi } from "../../key-space/cluster-api.js";
import { type Clock, socketTimeout, systemClock } from "../../time/clock.js";
import type { ServerReply } from "../http/message.js";
import type { Route } from "../http/router.js";
import { processFamilies, serverFamilies, storeFamilies } from "../metrics/families.js";
import {
  type MetricFamily,
  metric,
  PROMETHEUS_TYPE,
  prometheusText,
} from "../metrics/prometheus-text.js";
import type { RequestMetrics } from "../metrics/request-metrics.js";
import type { NotReady } from "./probe-routes.js";

/** Timeout of metrics that need a request to the cluster. A collector waits only a few seconds. */
const METRICS_TIMEOUT_MS = 1_000;

/** What this process itself knows. */
interface OwnMetrics {
  readonly requests: RequestMetrics;
  /** @default always ready */
  readonly notReady?: NotReady | undefined;
  /** @default none */
  readonly more?: (() => readonly MetricFamily[]) | undefined;
}

/** Serves `/metrics` without credentials, for any method. Metrics that cannot be read in time are omitted. */
export function metricsRoute(api: ClusterApi, own: OwnMetrics, clock = systemClock): Route {
  const handlers = (): Promise<ServerReply> => metrics(api, own, clock);
  return { path: "/metrics", errors: "message", handlers };
}

async function metrics(
  api: ClusterApi,
  { requests, notReady = () => undefined, more = () => [] }: OwnMetrics,
  clock: Clock,
): Promise<ServerReply> {
  const [problem, store, server] = await Promise.all([
    notReady(),
    availableIn(clock, (options) => api.stats.store(options).then(storeFamilies)),
    availableIn(clock, (options) => serverFamiliesOf(api, options)),
  ]);
  const families = [
    ...store,
    ...requests.families(),
    metric("etcdnet_ready", "gauge", "1 if /readyz returns 200, else 0.", Number(!problem)),
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

async function availableIn(
  clock: Clock,
  read: (options: CallOptions) => Promise<readonly MetricFamily[]>,
): Promise<readonly MetricFamily[]> {
  const late = new AbortController();
  const cancel = socketTimeout(clock, METRICS_TIMEOUT_MS, () => late.abort());
  try {
    return await read({ signal: late.signal });
  } catch (error) {
    if (error instanceof EtcdError || isEtcdError(error, "Abort")) return [];
    throw error;
  } finally {
    cancel();
  }
}
