import { AbortError } from "../errors/abort-error.js";
import { type KeyRequest, operationOf } from "../model/key-request.js";
import type { EtcdResponse } from "../model/response.js";
import type { KeyGuard, Permit } from "./auth/key-guard.js";
import type { GatewayOptions } from "./gateway.js";
import { BrowserAccess } from "./http/browser-access.js";
import { clientUrls } from "./http/client-urls.js";
import { plainError, type ServerRequest, type V2Handler } from "./http/message.js";
import { Router } from "./http/router.js";
import { memberFamily, watchersFamily } from "./metrics/gateway-metrics.js";
import type { MetricFamily } from "./metrics/prometheus-text.js";
import { RequestMetrics } from "./metrics/request-metrics.js";
import type { Draining } from "./probes/draining.js";
import { clusterRoutes } from "./routes/cluster-routes.js";
import { KeysRoute, type ServedKeys } from "./routes/keys-route.js";
import { readMembers } from "./routes/members-route.js";
import { metricsRoute } from "./routes/metrics-route.js";
import { probeRoutes } from "./routes/probe-routes.js";
import { v2Handler } from "./routes/v2-handler.js";
import { DEFAULT_HOST } from "./serve-gateway.js";
import type { OpenWatches } from "./source/open-watches.js";
import { passThrough } from "./source/pass-through.js";
import { isLoop, passedHeaders } from "./source/passed-headers.js";
import type { SourceCluster } from "./source/source-cluster.js";

const LOOP = plainError(
  508,
  "Loop Detected: the endpoints of this gateway lead back to it; name the members of the cluster in --source",
);

/** What another kind of gateway adds. */
export interface SourceHandlerParts<P extends Permit> {
  /** Permits requests, of which the cluster checks the credentials. */
  readonly guard: KeyGuard<P>;
  /** The keys for a request. */
  readonly keysOf: (request: ServerRequest, permit: P) => ServedKeys;
  /** Why this gateway cannot serve, in one line; `undefined`: it can. */
  readonly notReady: () => string | undefined;
  /** Metrics in addition. */
  readonly metrics: () => readonly MetricFamily[];
}

/**
 * Serves the v2 API of a v2 cluster. Key requests are decoded and encoded again, so that the parameters are read as by
 * every other server here. The cluster decides about credentials. Requests about users, roles and changes of members are
 * sent as they are.
 *
 * @throws OptionError for options that concern clients
 */
export function sourceHandler<P extends Permit = Permit>(
  source: SourceCluster,
  { advertise, cors, allowedHosts, host = DEFAULT_HOST }: Omit<GatewayOptions, "etcd">,
  draining: Draining,
  parts?: SourceHandlerParts<P>,
): V2Handler {
  const { id, cluster, clusterApi, watches, readiness } = source;
  const clusterId = source.clusterId.bind(source);
  const urls = clientUrls(advertise);
  const browsers = new BrowserAccess({ advertise, cors, allowedHosts, host });
  const counted = new RequestMetrics();
  const notReady = () => draining.reason ?? parts?.notReady() ?? readiness.check();
  const metrics = () => [
    watchersFamily(watches.count),
    memberFamily(readiness.members),
    ...(parts?.metrics() ?? []),
  ];
  const keys =
    parts === undefined
      ? new KeysRoute((request) => keysFor(request, source), permitAll(watches), clusterId, counted)
      : new KeysRoute(parts.keysOf, parts.guard, clusterId, counted);
  const passed = passThrough(cluster, id);
  const members = readMembers(clusterApi.members, urls, clusterId);
  const router = new Router([
    keys.route,
    {
      path: "/v2/members/**",
      errors: "message",
      handlers: (request, rest, query) =>
        (request.method === "GET" ? members : passed)(request, rest, query),
    },
    ...clusterRoutes(clusterApi, urls),
    ...probeRoutes(notReady),
    metricsRoute(clusterApi, { requests: counted, notReady, more: metrics }),
    { path: "/v2/auth/**", errors: "message", handlers: passed },
  ]);
  const handler = v2Handler(router, browsers);
  return async (request) => (isLoop(request, id) ? LOOP : handler(request));
}

/** The keys of the cluster, with the credentials of a client. */
export function keysFor(
  request: ServerRequest,
  { id, requests, listings }: SourceCluster,
): ServedKeys {
  const passed = passedHeaders(request, id);
  const execute = (each: KeyRequest): Promise<EtcdResponse> => requests.execute(each, passed);
  return {
    execute(each) {
      if (each.action !== "get" || !each.recursive) return execute(each);
      const { signal } = request;
      const run = async (): Promise<EtcdResponse> => {
        // The client may have disconnected while the listing waited for its turn.
        if (signal.aborted) throw new AbortError(operationOf(each), signal.reason, "none");
        return await execute(each);
      };
      return listings.run(run, signal);
    },
    openWatch: (watch, options) => requests.openWatch(watch, { ...options, ...passed }),
  };
}

/** Permits every request, because the cluster checks the credentials. */
function permitAll(watches: OpenWatches): KeyGuard {
  const permit = { isValid: async () => true, guard: watches.add.bind(watches) };
  return { permit: async () => permit };
}
