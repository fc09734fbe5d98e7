import { checkOptions, completeOptions } from "../client/normalize-options.js";
import type { EtcdClientOptions } from "../client/options.js";
import { Cluster } from "../cluster/cluster.js";
import { CachedReads } from "../key-space/cached-reads.js";
import { JsonGateway } from "../key-space/v3/json-gateway.js";
import { V3ClusterApi } from "../key-space/v3/v3-cluster-api.js";
import { V3KeySpace } from "../key-space/v3/v3-key-space.js";
import { v3Probes } from "../key-space/v3/v3-probes.js";
import { AdvertisedClusterApi } from "./advertised-cluster-api.js";
import { AuthStore } from "./auth/auth-store.js";
import { enforceAuth } from "./auth/enforce-auth.js";
import { ClusterIdentity } from "./cluster-identity.js";
import { createV2Handler } from "./create-v2-handler.js";
import { gatewayFamilies } from "./gateway-metrics.js";
import { type HttpServer, listen, type ServerLimits, type ServerTls } from "./http-server.js";

/** How a gateway reaches its cluster. Times are in milliseconds; defaults are the client's. */
export type GatewayEtcdOptions = Omit<
  EtcdClientOptions,
  "api" | "keySpace" | "clusterApi" | "consistency" | "jsonDeserializer"
>;

/** Options of {@link createGateway}. */
export interface GatewayOptions {
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
   * What `/v2/machines` and the members' `clientURLs` say in place of the members' own: URLs of
   * gateways. Clients that synchronise would otherwise go on with members that serve no v2.
   *
   * @default the members' own
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

/** Revisions read before the first watch: as many as etcd v2 has events in its history. */
const FORESIGHT = 1000;
/** Milliseconds: who polls comes back. */
const LINGER = 600_000;

/**
 * Serves the v2 API from the v3 API of etcd 3.4 and later. A gateway keeps nothing by itself: any
 * number of them beside each other give the same answers. It starts even while no member can be
 * reached, and serves as soon as one can.
 *
 * @throws TypeError for options that make no sense
 * @throws V3DisabledError when the members do not serve the v3 API as JSON
 * @throws UnauthorizedError when the cluster refuses the user
 * @throws Error when the port is taken
 */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const etcd: EtcdClientOptions = { ...options.etcd, api: "v3" };
  checkOptions(etcd);
  const { cluster: settings, keyPrefix, credentials } = completeOptions(etcd);
  const { clock } = settings;
  const cluster = new Cluster(settings, v3Probes);
  const api = new JsonGateway(cluster, credentials);
  const watches = { oneEventPerPoll: true, foresight: FORESIGHT, linger: LINGER };
  const keySpace = new V3KeySpace(api, { keyPrefix, clock, ...watches });
  const authKeySpace = new CachedReads(
    new V3KeySpace(api, { keyPrefix: `${keyPrefix}\0etcdnet/auth`, clock }),
    clock,
  );
  const members = new V3ClusterApi(cluster, api, keySpace);
  const clusterApi = options.advertise
    ? new AdvertisedClusterApi(members, options.advertise)
    : members;
  const identity = new ClusterIdentity(api);
  const clusterId = identity.clusterId.bind(identity);
  const metrics = () => gatewayFamilies(keySpace.figures);
  let server: HttpServer | undefined;
  const close = async (): Promise<void> => {
    const closed = server?.close();
    await keySpace.endWatches();
    // What is under way is answered first.
    await closed;
    await Promise.all([keySpace.close(), authKeySpace.close()]);
  };
  try {
    await identity.check();
    if (options.rootPassword !== undefined) {
      await enforceAuth(new AuthStore(authKeySpace), options.rootPassword);
    }
    const handler = createV2Handler({ keySpace, clusterApi, authKeySpace, clusterId, metrics });
    const { host = "127.0.0.1", port = 0, tls, limits } = options;
    server = await listen(handler, { host, port, tls, limits });
  } catch (error) {
    await close();
    throw error;
  }
  return { url: server.url, close, [Symbol.asyncDispose]: close };
}
