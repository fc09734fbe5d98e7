import { AuthStore } from "../auth/auth-store.js";
import { KeptIndexes } from "../cutover/kept-indexes.js";
import { CutoverMembership } from "../cutover/membership.js";
import { recordsOf } from "../cutover/open-target.js";
import { v2HandlerWith } from "./create-v2-handler.js";
import type { GatewayEtcdOptions, GatewayOptions } from "./gateway.js";
import { type GatewayParts, gatewayParts } from "./gateway-parts.js";
import { errorReply } from "./http/error-reply.js";
import type { ServerRequest, V2Handler } from "./http/message.js";
import { splitTarget } from "./http/target.js";
import { cutoverFamilies } from "./metrics/cutover-metrics.js";
import { gatewayFamilies } from "./metrics/gateway-metrics.js";
import type { Draining } from "./probes/draining.js";
import { DEFAULT_HOST, type ServedCluster } from "./serve-gateway.js";
import type { SourceCluster } from "./source/source-cluster.js";
import { sourceHandler } from "./source-handler.js";
import { SeenClients } from "./switch/seen-clients.js";
import { SwitchedKeys } from "./switch/switched-keys.js";

/** A gateway in front of v2 that a cut-over can switch to v3. */
export function switchingCluster(
  source: SourceCluster,
  etcd: GatewayEtcdOptions,
  options: Omit<GatewayOptions, "etcd">,
): ServedCluster {
  const target = gatewayParts({ ...etcd, api: "v3" });
  const { api, keySpace, keyPrefix, clock } = target;
  const membership: CutoverMembership = new CutoverMembership(
    recordsOf(api, keyPrefix, { clock }),
    {
      clock,
      clusterId: () => keys.clusterId,
      hidden: () => keys.hidden,
      givenTtls: () => keys.givenTtls,
      problem: () => keys.problem,
      claims: (census) => ({ ...keys.claims(census), clients: clients.list }),
      drained: () => keys.drained(),
      onState: (state) => keys.follow(state),
    },
  );
  const clients = new SeenClients();
  const keptAt = (switches: number) => new KeptIndexes(api, keyPrefix, switches);
  const keys: SwitchedKeys = new SwitchedKeys(source, keySpace, membership, keptAt);
  return {
    endpoints: [...source.endpoints, ...target.endpoints],
    handler: (draining) => {
      const handle = switchHandler(source, target, membership, keys, options, draining);
      return (request) => {
        clients.add(request);
        return handle(request);
      };
    },
    prepare: async () => {
      await source.requireV2();
      await keys.start();
    },
    started: (url) => membership.start(url),
    endWatches: () => {
      source.watches.endAll();
      keySpace.endWatches();
    },
    close: async () => {
      keys.close();
      await membership.close();
      source.cluster.close();
      await Promise.all([keySpace.close(), target.authKeySpace.close()]);
    },
  };
}

function switchHandler(
  source: SourceCluster,
  target: GatewayParts,
  membership: CutoverMembership,
  keys: SwitchedKeys,
  options: Omit<GatewayOptions, "etcd">,
  draining: Draining,
): V2Handler {
  const before = sourceHandler(source, options, draining, {
    keysOf: (passed, { signal }) => keys.on(passed, signal),
    notReady: () => notRegistered(membership),
    metrics: () => cutoverFamilies(membership, keys.lateChanges),
  });
  const after = targetHandler(target, membership, keys, options, draining);
  return async (request) => {
    const format = formatOfHeld(request);
    if (format === undefined) {
      return await (membership.state?.phase === "target" ? after : before)(request);
    }
    const { method, target: path } = request;
    try {
      const { from } =
        membership.side ?? (await membership.decided(`${method} ${path}`, request.signal));
      return await (from === "target" ? after : before)(request);
    } catch (error) {
      return errorReply(error, format);
    }
  };
}

function targetHandler(
  { keySpace, clusterApi, readiness, authKeySpace, clock }: GatewayParts,
  membership: CutoverMembership,
  keys: SwitchedKeys,
  { advertise, cors, allowedHosts, host = DEFAULT_HOST }: Omit<GatewayOptions, "etcd">,
  draining: Draining,
): V2Handler {
  const parts = {
    ...{ keySpace: keys.afterSwitch, clusterApi, advertise, cors, allowedHosts, host },
    // Clients may refuse a cluster with another ID.
    clusterId: async () => membership.state?.clusterId ?? "",
    notReady: () => draining.reason ?? readiness.check(),
    metrics: () => [
      ...gatewayFamilies(keySpace.metrics, readiness.members),
      ...cutoverFamilies(membership, keys.lateChanges),
    ],
  };
  return v2HandlerWith(new AuthStore(authKeySpace), parts, clock);
}

/**
 * The format of errors of a request that must wait for the decision of a cut-over, because only one cluster knows who may do
 * what; `undefined`: it need not wait.
 */
function formatOfHeld({ method, target }: ServerRequest): "keys" | "message" | undefined {
  const { path } = splitTarget(target);
  if (path.startsWith("/v2/keys")) return "keys";
  const isChange = method !== "GET" && path.startsWith("/v2/members");
  return path.startsWith("/v2/auth") || isChange ? "message" : undefined;
}

/** Anybody can read it, so it does not say why. */
function notRegistered({ side, state }: CutoverMembership): string | undefined {
  const isHeld = state?.phase === "holding" || state?.phase === "returning";
  if (side !== undefined || isHeld) return undefined;
  return "not registered at the v3 cluster of the cut-over";
}
