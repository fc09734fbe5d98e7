import type { EtcdClientOptions } from "../client/options.js";
import { UnauthorizedError } from "../errors/common-errors.js";
import { EtcdError } from "../errors/etcd-error.js";
import { NestedPrefixError } from "../errors/v3-errors.js";
import type { V3KeySpace } from "../key-space/v3/v3-key-space.js";
import { AuthStore } from "./auth/auth-store.js";
import { enforceAuth } from "./auth/enforce-auth.js";
import { checkSelfReference } from "./check-self-reference.js";
import { checkServerOptions } from "./check-server-options.js";
import { v2HandlerWith } from "./create-v2-handler.js";
import { type GatewayParts, gatewayParts } from "./gateway-parts.js";
import type { BrowserOptions } from "./http/browser-access.js";
import { type HttpServer, listen, type ServerLimits, type ServerTls } from "./http/http-server.js";
import type { V2Handler } from "./http/message.js";
import { once } from "./http/once.js";
import { gatewayFamilies } from "./metrics/gateway-metrics.js";

const HOST = "127.0.0.1";

/** How a gateway reaches its cluster. Times are in milliseconds; defaults are the client's. */
export type GatewayEtcdOptions = Omit<
  EtcdClientOptions,
  "api" | "keySpace" | "clusterApi" | "consistency" | "jsonDeserializer"
>;

/** Options of {@link createGateway}. */
export interface GatewayOptions extends BrowserOptions {
  /** The cluster: its endpoints, the user of its v3 auth, TLS, `keyPrefix`. */
  readonly etcd: GatewayEtcdOptions;
  /**
   * Port to listen on; 0: any that is free.
   *
   * @default 0
   */
  readonly port?: number;
  /**
   * Address to listen on. Other than loopback addresses, it lets others in: use TLS and auth.
   *
   * @default "127.0.0.1"
   */
  readonly host?: string;
  /** Serve `https`. Absent: `http`. */
  readonly tls?: ServerTls;
  /**
   * Client URLs that `/v2/machines` and `/v2/members` show: those of all gateways. Clients that
   * synchronise their endpoints use these from then on. Needed behind a proxy that ends TLS or
   * changes `Host`, and where clients are to know more than one gateway.
   *
   * @default the URL at which the client reached this gateway
   */
  readonly advertise?: readonly string[];
  /**
   * Enforces v2 auth, with this password for user `root`; the one that the cluster knows is
   * replaced. Absent: auth is as the cluster knows it, at first off.
   */
  readonly rootPassword?: string;
  readonly limits?: ServerLimits;
}

/** The v2 API in front of a cluster that has none. */
export interface Gateway extends AsyncDisposable {
  /** e.g. `http://127.0.0.1:41234` */
  readonly url: string;
  /** Ends watches, answers what is under way and frees the port. */
  close(): Promise<void>;
}

/**
 * Serves the v2 API from the v3 API of etcd 3.4 and later. A gateway keeps nothing by itself: any
 * number of them beside each other give the same answers. It starts even while no member can be
 * reached, and serves as soon as one can.
 *
 * @throws TypeError for options that make no sense, such as its own port in `etcd.urls`
 * @throws V3DisabledError when the members serve the v3 API neither as gRPC nor as JSON
 * @throws UnauthorizedError when the cluster refuses the user
 * @throws NestedPrefixError when `etcd.keyPrefix` contains a key prefix that is in use on the cluster,
 *   or is contained in one
 * @throws Error when the port is taken
 */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  checkServerOptions(options, ["etcd"]);
  const parts = gatewayParts({ ...options.etcd, api: "v3" });
  const { keySpace, authKeySpace, identity } = parts;
  let server: HttpServer | undefined;
  const close = once(async () => {
    const closed = server?.close();
    keySpace.endWatches();
    // What is under way is answered first.
    await closed;
    await Promise.all([keySpace.close(), authKeySpace.close()]);
  });
  try {
    const store = new AuthStore(authKeySpace);
    const handler = handlerOf(store, parts, options);
    checkSelfReference(parts.endpoints, options.host ?? HOST, options.port ?? 0);
    if (await identity.check()) await warmUp(keySpace, store);
    if (options.rootPassword !== undefined) await enforceAuth(store, options.rootPassword);
    const { host = HOST, port = 0, tls, limits } = options;
    server = await listen(handler, { host, port, tls, limits });
  } catch (error) {
    await close();
    throw error;
  }
  return { url: server.url, close, [Symbol.asyncDispose]: close };
}

function handlerOf(
  store: AuthStore,
  { keySpace, clusterApi, identity, clock }: GatewayParts,
  { advertise, cors, allowedHosts, host = HOST }: GatewayOptions,
): V2Handler {
  const clusterId = identity.clusterId.bind(identity);
  const metrics = () => gatewayFamilies(keySpace.figures);
  const listening = { advertise, cors, allowedHosts, host };
  return v2HandlerWith(store, { keySpace, clusterApi, clusterId, metrics, ...listening }, clock);
}

/** Has everything ready for the first watch of a client, and for auth to stay as it is now. */
async function warmUp(keySpace: V3KeySpace, store: AuthStore): Promise<void> {
  await unlessAway(keySpace.register());
  await unlessAway(store.isEnabled());
  await unlessAway(keySpace.openWatch({ key: "/" }).then((watch) => watch.close()));
}

/** Waits for a call. A gateway starts without its answer, unless the cluster refuses it for good. */
async function unlessAway(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    const isFinal = error instanceof UnauthorizedError || error instanceof NestedPrefixError;
    if (isFinal || !(error instanceof EtcdError)) throw error;
  }
}
