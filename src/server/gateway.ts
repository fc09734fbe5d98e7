import { AuthStore } from "../auth/auth-store.js";
import type { EtcdClientOptions } from "../client/options.js";
import { UnauthorizedError } from "../errors/common-errors.js";
import { EtcdError } from "../errors/etcd-error.js";
import { NestedPrefixError } from "../errors/v3-errors.js";
import type { V3KeySpace } from "../key-space/v3/v3-key-space.js";
import type { KnownOptions } from "../model/option-names.js";
import { enforceAuth } from "./auth/enforce-auth.js";
import { checkServerOptions, LISTEN_OPTIONS } from "./check-server-options.js";
import { authGuardOf, v2HandlerWith } from "./create-v2-handler.js";
import { type GatewayParts, gatewayParts } from "./gateway-parts.js";
import type { BrowserOptions } from "./http/browser-access.js";
import type { ServerLimits, ServerTls } from "./http/http-server.js";
import type { V2Handler } from "./http/message.js";
import { gatewayFamilies } from "./metrics/gateway-metrics.js";
import { Draining } from "./probes/draining.js";
import { DEFAULT_HOST, type ServedGateway, serveGateway } from "./serve-gateway.js";

/** How a gateway connects to its cluster. Times are in milliseconds; defaults are the client's. */
export type GatewayEtcdOptions = Omit<
  EtcdClientOptions,
  "api" | "keySpace" | "clusterApi" | "consistency" | "jsonDeserializer"
>;

/** Options of {@link createGateway}. */
export interface GatewayOptions extends BrowserOptions {
  /** The cluster: its endpoints, the user of its v3 auth, TLS, `keyPrefix`. */
  readonly etcd: GatewayEtcdOptions;
  /**
   * Port to listen on; 0: any free port.
   *
   * @default 0
   */
  readonly port?: number | undefined;
  /**
   * Address to listen on. An address other than loopback lets other machines connect: use TLS and
   * auth.
   *
   * @default "127.0.0.1"
   */
  readonly host?: string | undefined;
  /** Serve `https`. Absent: `http`. */
  readonly tls?: ServerTls | undefined;
  /**
   * Client URLs that `/v2/machines` and `/v2/members` show: the URLs of all gateways. Clients that
   * synchronize their endpoints use these URLs afterwards. Needed behind a proxy that terminates TLS or
   * changes `Host`, and when clients should know more than one gateway.
   *
   * @default the URL at which the client reached this gateway
   */
  readonly advertise?: readonly string[] | undefined;
  /**
   * Enforces v2 auth, with this password for user `root`; it replaces the password stored in the
   * cluster. Absent: auth is on if the cluster says so; in a new cluster it is off.
   */
  readonly rootPassword?: string | undefined;
  readonly limits?: ServerLimits | undefined;
  /**
   * Serves requests in the place of the handler, which it may call.
   *
   * @internal for the workers of the command line
   */
  readonly around?: ((handler: V2Handler) => V2Handler) | undefined;
}

const OPTIONS: KnownOptions<GatewayOptions> = {
  etcd: true,
  rootPassword: true,
  around: true,
  ...LISTEN_OPTIONS,
};

/** Serves the v2 API for a cluster that only has the v3 API. */
export interface Gateway extends ServedGateway {
  /** Enforces v2 auth with this password for user `root`, as the option `rootPassword` does at the start. */
  setRootPassword(password: string): Promise<void>;
}

/**
 * Serves the v2 API from the v3 API of etcd 3.4 and later. A gateway has no state of its own: several
 * gateways of one cluster return the same responses. It starts even while no member can be reached,
 * and serves as soon as one can.
 *
 * @throws TypeError for invalid options, such as its own port in `etcd.urls`
 * @throws V3DisabledError when the members serve the v3 API neither as gRPC nor as JSON
 * @throws UnauthorizedError when the cluster refuses the user
 * @throws NestedPrefixError when `etcd.keyPrefix` contains a key prefix that is in use on the cluster,
 *   or is contained in one
 * @throws Error when the port is taken
 *
 * @example
 * import { createGateway } from "etcdnet/server";
 *
 * const gateway = await createGateway({ etcd: { endpoints: "http://127.0.0.1:2379" }, port: 4001 });
 * console.log(gateway.url);
 * await gateway.close();
 */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  checkServerOptions(options, OPTIONS);
  const parts = gatewayParts({ ...options.etcd, api: "v3" });
  const { keySpace, authKeySpace, identity, endpoints } = parts;
  const store = new AuthStore(authKeySpace);
  const served = await serveGateway(
    {
      endpoints,
      handler: (draining) => handlerOf(store, parts, options, draining),
      prepare: async () => {
        if (await identity.check()) await warmUp(keySpace, store);
        if (options.rootPassword !== undefined) await enforceAuth(store, options.rootPassword);
      },
      endWatches: () => keySpace.endWatches(),
      close: () => Promise.all([keySpace.close(), authKeySpace.close()]),
    },
    options,
  );
  return { ...served, setRootPassword: (password) => enforceAuth(store, password) };
}

/** @throws OptionError for options that concern clients */
export function handlerOf(
  store: AuthStore,
  { keySpace, clusterApi, identity, readiness, clock }: GatewayParts,
  { advertise, cors, allowedHosts, host = DEFAULT_HOST }: GatewayOptions,
  draining = new Draining(),
): V2Handler {
  const clusterId = identity.clusterId.bind(identity);
  const metrics = () => gatewayFamilies(keySpace.metrics, readiness.members);
  const notReady = () => draining.reason ?? readiness.check();
  const listening = { advertise, cors, allowedHosts, host };
  const parts = { clusterApi, clusterId, notReady, metrics, ...listening };
  const keysOf = () => keySpace;
  return v2HandlerWith(store, { ...parts, keysOf }, authGuardOf(store, clock));
}

/** Prepares for the first watch of a client, and remembers whether auth is on. */
async function warmUp(keySpace: V3KeySpace, store: AuthStore): Promise<void> {
  await ifAvailable(keySpace.register());
  await ifAvailable(store.isEnabled());
  await ifAvailable(keySpace.openWatch({ key: "/" }).then((watch) => watch.close()));
}

/** Waits for a call. A failure does not stop a gateway from starting, unless it is permanent. */
async function ifAvailable(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    const isFinal = error instanceof UnauthorizedError || error instanceof NestedPrefixError;
    if (isFinal || !(error instanceof EtcdError)) throw error;
  }
}
