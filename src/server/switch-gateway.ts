import { AuthStore } from "../auth/auth-store.js";
import type { StoredState } from "../cutover/cutover-state.js";
import { KeptIndexes } from "../cutover/kept-indexes.js";
import { CutoverMembership, type Side } from "../cutover/membership.js";
import { recordsOf } from "../cutover/open-target.js";
import { SeenPasswords } from "../cutover/seen-passwords.js";
import { OutcomeUnknownError } from "../errors/cluster-errors.js";
import { readIndex } from "../key-space/shared/read-state.js";
import { decodePath, NotUtf8Error } from "../wire/decode-path.js";
import { AuthGuard } from "./auth/auth-guard.js";
import { PasswordCheck } from "./auth/password-check.js";
import { WatchReview } from "./auth/watch-review.js";
import { guardedHandler, type SharedHandlerParts } from "./create-v2-handler.js";
import type { GatewayEtcdOptions, GatewayOptions } from "./gateway.js";
import { type GatewayParts, gatewayParts } from "./gateway-parts.js";
import { errorReply } from "./http/error-reply.js";
import type { ServerReply, ServerRequest, V2Handler } from "./http/message.js";
import { RequestError } from "./http/request-error.js";
import { splitTarget } from "./http/target.js";
import { cutoverFamilies } from "./metrics/cutover-metrics.js";
import { gatewayFamilies } from "./metrics/gateway-metrics.js";
import type { Draining } from "./probes/draining.js";
import type { ServedKeys } from "./routes/keys-route.js";
import { DEFAULT_HOST, type ServedCluster } from "./serve-gateway.js";
import type { SourceCluster } from "./source/source-cluster.js";
import { keysFor, sourceHandler } from "./source-handler.js";
import type { Caller } from "./switch/caller.js";
import { type OwnUser, PasswordObserver } from "./switch/password-observer.js";
import { SeenClients } from "./switch/seen-clients.js";
import { SwitchGuard, type SwitchPermit, TargetGuard } from "./switch/switch-guard.js";
import { SwitchedKeys } from "./switch/switched-keys.js";
import { TargetLimits } from "./switch/target-limits.js";

/** A gateway in front of v2 that a cut-over can switch to v3. */
export function switchingCluster(
  source: SourceCluster,
  own: OwnUser | undefined,
  etcd: GatewayEtcdOptions,
  options: Omit<GatewayOptions, "etcd">,
): ServedCluster {
  const target = gatewayParts({ ...etcd, api: "v3" });
  const { api, keySpace, keyPrefix, clock } = target;
  const records = recordsOf(api, keyPrefix, { clock });
  const membership: CutoverMembership = new CutoverMembership(records, {
    clock,
    clusterId: () => keys.clusterId,
    hidden: () => keys.hidden,
    givenTtls: () => keys.givenTtls,
    problem: () => keys.problem,
    claims: (census) => ({ ...keys.claims(census), clients: clients.list }),
    drained: () => keys.drained(),
    onState: (state) => follow(state),
  });
  const clients = new SeenClients();
  const keptAt = (switches: number) => new KeptIndexes(api, keyPrefix, switches);
  const keys: SwitchedKeys = new SwitchedKeys(
    ...([source, keySpace, membership, keptAt] as const),
    new TargetLimits(api),
  );
  const closing = new AbortController();
  const passwords = new PasswordObserver({
    ...{ own, clock, closing: closing.signal },
    seenSince: (id) => new SeenPasswords(records.keySpace, id),
    readIndex: async () => (await readIndex(source.keySpace, { signal: closing.signal })).index,
    checkOwn: () => source.origin(closing.signal),
  });
  const follow = (state: StoredState | null | undefined): void => {
    // Users of v3 may have changed without an event until now.
    target.authKeySpace.forget();
    passwords.follow(state);
    keys.follow(state);
  };
  return {
    endpoints: [...source.endpoints, ...target.endpoints],
    handler: (draining) => {
      const parts = { source, target, membership, keys, passwords };
      const handle = switchHandler(parts, options, draining);
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
      closing.abort(new Error("the gateway was closed"));
      keys.close();
      await membership.close();
      source.close();
      await Promise.all([keySpace.close(), target.authKeySpace.close()]);
    },
  };
}

interface SwitchParts {
  readonly source: SourceCluster;
  readonly target: GatewayParts;
  readonly membership: CutoverMembership;
  readonly keys: SwitchedKeys;
  readonly passwords: PasswordObserver;
}

function switchHandler(
  parts: SwitchParts,
  options: Omit<GatewayOptions, "etcd">,
  draining: Draining,
): V2Handler {
  const { source, target, membership, keys, passwords } = parts;
  const { clock } = target;
  const store = new AuthStore(target.authKeySpace);
  const review = new WatchReview(store, clock);
  const guard = new AuthGuard(store, new PasswordCheck({ clock }), review);
  const keysOf = (
    request: ServerRequest,
    isPermittedOnTarget: Caller["isPermittedOnTarget"],
  ): ServedKeys => {
    const passed = passwords.observe(keysFor(request, source), request);
    const { authorization: credentials } = request.headers;
    const isRestricted = source.hasUser || credentials !== undefined;
    return keys.on({ passed, credentials, isRestricted, isPermittedOnTarget }, request.signal);
  };
  const guarding = { guard, review, membership, watches: source.watches };
  const before = sourceHandler(source, options, draining, {
    guard: new SwitchGuard(guarding),
    keysOf: (request, permit) => keysOf(request, permit.isPermittedOnTarget),
    notReady: () => notRegistered(membership),
    metrics: () => cutoverFamilies(membership, keys.lateChanges),
  });
  const afterKeys = (request: ServerRequest, permit: SwitchPermit) =>
    keysOf(request, permit.isPermittedOnTarget);
  const serving = { store, guard, keyGuard: new TargetGuard(guarding), keysOf: afterKeys };
  const after = targetHandler(parts, serving, options, draining);
  return async (request) => {
    const format = formatOfHeld(request);
    if (format === undefined) {
      return await (membership.state?.phase === "target" ? after : before)(request);
    }
    const { method, target: path } = request;
    try {
      const { from } =
        membership.side ?? (await membership.decided(`${method} ${path}`, request.signal));
      const handle = from === "target" ? after : before;
      return await (isAuthChange(request)
        ? changeAuth(request, from, handle, membership)
        : handle(request));
    } catch (error) {
      return errorReply(error, format);
    }
  };
}

function targetHandler(
  { target, membership, keys }: SwitchParts,
  {
    store,
    guard,
    keyGuard,
    keysOf,
  }: Pick<SharedHandlerParts<SwitchPermit>, "keysOf"> & {
    readonly store: AuthStore;
    readonly guard: AuthGuard;
    readonly keyGuard: TargetGuard;
  },
  { advertise, cors, allowedHosts, host = DEFAULT_HOST }: Omit<GatewayOptions, "etcd">,
  draining: Draining,
): V2Handler {
  const { keySpace, clusterApi, readiness } = target;
  const parts = {
    ...{ keysOf, clusterApi, advertise, cors, allowedHosts, host },
    // Clients may refuse a cluster with another ID.
    clusterId: async () => membership.state?.clusterId ?? "",
    notReady: () => draining.reason ?? readiness.check(),
    metrics: () => [
      ...gatewayFamilies(keySpace.metrics, readiness.members),
      ...cutoverFamilies(membership, keys.lateChanges),
    ],
  };
  return guardedHandler(store, parts, guard, keyGuard);
}

/** Whether a request may change users, roles, or whether auth is on. */
function isAuthChange({ method, target }: ServerRequest): boolean {
  const isRead = method === "GET" || method === "HEAD";
  return !isRead && pathOf(target).startsWith("/v2/auth");
}

/** The path for which a route is found. One that cannot be decoded has no route. */
function pathOf(target: string): string {
  const { path } = splitTarget(target);
  try {
    return decodePath(path);
  } catch (error) {
    if (error instanceof NotUtf8Error) return path;
    throw error;
  }
}

/**
 * Changes users on the cluster that serves. The response counts only if this gateway may still serve from it then. While a switch
 * is prepared, they stay as they are, because the passwords that are recorded must be those at the switch.
 *
 * @throws RequestError while a switch is prepared; OutcomeUnknownError when gateways have changed to the other cluster meanwhile
 */
async function changeAuth(
  request: ServerRequest,
  from: Side["from"],
  handle: V2Handler,
  membership: CutoverMembership,
): Promise<ServerReply> {
  const { switches, state } = membership;
  if (from === "source" && state != null && state.phase !== "returned") {
    throw new RequestError(503, "users and roles cannot be changed between arm and flip");
  }
  const reply = await handle(request);
  const operation = `${request.method} /v2/auth`;
  const side = from === "target" ? await membership.confirmed(operation) : membership.side;
  if (side?.from === from && membership.switches === switches) return reply;
  const cause = new Error("gateways have changed to the other cluster meanwhile");
  throw new OutcomeUnknownError(operation, "", cause);
}

/**
 * The format of errors of a request that must wait for the decision of a cut-over, because only one cluster knows who may do
 * what; `undefined`: it need not wait.
 */
function formatOfHeld({ method, target }: ServerRequest): "keys" | "message" | undefined {
  const path = pathOf(target);
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
