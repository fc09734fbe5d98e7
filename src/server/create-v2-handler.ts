import { AuthStore } from "../auth/auth-store.js";
import type { ClusterApi } from "../key-space/cluster-api.js";
import type { KeySpace } from "../key-space/key-space.js";
import { type Clock, systemClock } from "../time/clock.js";
import { AuthGuard } from "./auth/auth-guard.js";
import { authRoutes } from "./auth/auth-route.js";
import type { KeyGuard, Permit } from "./auth/key-guard.js";
import { PasswordCheck } from "./auth/password-check.js";
import { WatchReview } from "./auth/watch-review.js";
import { BrowserAccess, type BrowserOptions } from "./http/browser-access.js";
import { clientUrls } from "./http/client-urls.js";
import type { ServerRequest, V2Handler } from "./http/message.js";
import { Router } from "./http/router.js";
import type { MetricFamily } from "./metrics/prometheus-text.js";
import { RequestMetrics } from "./metrics/request-metrics.js";
import { clusterRoutes } from "./routes/cluster-routes.js";
import { KeysRoute, type ServedKeys } from "./routes/keys-route.js";
import { membersRoute } from "./routes/members-route.js";
import { metricsRoute } from "./routes/metrics-route.js";
import { probeRoutes } from "./routes/probe-routes.js";
import { v2Handler } from "./routes/v2-handler.js";

/** The parts from which the v2 API is served. */
export interface V2HandlerParts extends BrowserOptions {
  /** The keys. */
  readonly keySpace: KeySpace;
  /** Members, statistics, version and health. */
  readonly clusterApi: ClusterApi;
  /** Users and roles, in a separate key space that key requests cannot reach. */
  readonly authKeySpace: KeySpace;
  /**
   * Client URLs that `/v2/machines` and `/v2/members` show instead of the members' own.
   *
   * @default the URL at which the client reached the server (`serverUrl` of its request); if that is
   *   unknown, the members' own
   */
  readonly advertise?: readonly string[] | undefined;
  /**
   * Address that the server listens on, e.g. `127.0.0.1`. On a loopback address, every request to an
   * unknown host is refused.
   *
   * @default unknown: only requests of browsers to an unknown host are refused
   */
  readonly host?: string | undefined;
  /** The value of `X-Etcd-Cluster-Id`. */
  readonly clusterId: () => Promise<string>;
  /**
   * Why other servers should get the requests, in one line, for `/readyz` and the metric `etcdnet_ready`.
   * Anybody can read it. `undefined`: this server is ready. It must resolve within a second.
   *
   * @default always ready
   */
  readonly notReady?: (() => string | undefined | Promise<string | undefined>) | undefined;
  /** Further metrics for `/metrics`. */
  readonly metrics?: (() => readonly MetricFamily[]) | undefined;
}

/**
 * Serves etcd's v2 API. The handler maps a request to a response; the caller owns the sockets.
 *
 * @throws TypeError for a URL, an origin or a host name that cannot be used
 */
export function createV2Handler(parts: V2HandlerParts): V2Handler {
  const store = new AuthStore(parts.authKeySpace);
  return v2HandlerWith(store, { ...parts, keysOf: () => parts.keySpace });
}

/** Parts of a handler whose keys are those of a request. */
export interface SharedHandlerParts<P extends Permit = Permit>
  extends Omit<V2HandlerParts, "authKeySpace" | "keySpace"> {
  readonly keysOf: (request: ServerRequest, permit: P) => ServedKeys;
}

/** Like {@link createV2Handler}, with an auth store and a guard that the caller also uses. */
export function v2HandlerWith(
  store: AuthStore,
  parts: SharedHandlerParts,
  guard = authGuardOf(store),
): V2Handler {
  return guardedHandler(store, parts, guard, guard);
}

/** Like {@link v2HandlerWith}, with another guard for keys. */
export function guardedHandler<P extends Permit>(
  store: AuthStore,
  parts: SharedHandlerParts<P>,
  guard: Pick<AuthGuard, "isRoot">,
  keyGuard: KeyGuard<P>,
): V2Handler {
  const { keysOf, clusterApi, clusterId, notReady = () => undefined } = parts;
  const metrics = new RequestMetrics();
  const keys = new KeysRoute(keysOf, keyGuard, clusterId, metrics);
  const urls = clientUrls(parts.advertise);
  const isRoot = guard.isRoot.bind(guard);
  const browsers = new BrowserAccess(parts);
  const router = new Router([
    keys.route,
    membersRoute({ members: clusterApi.members, clientUrls: urls, clusterId, isRoot }),
    ...clusterRoutes(clusterApi, urls),
    ...probeRoutes(notReady),
    metricsRoute(clusterApi, { requests: metrics, notReady, more: parts.metrics }),
    ...authRoutes(store, isRoot, clusterId),
  ]);
  return v2Handler(router, browsers);
}

export function authGuardOf(store: AuthStore, clock: Clock = systemClock): AuthGuard {
  return new AuthGuard(store, new PasswordCheck({ clock }), new WatchReview(store, clock));
}
