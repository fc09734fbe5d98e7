import { checkOptions, completeOptions } from "../client/normalize-options.js";
import type { EtcdClientOptions } from "../client/options.js";
import { type KnownOptions, refuseUnknown } from "../model/option-names.js";
import { checkServerOptions, LISTEN_OPTIONS } from "./check-server-options.js";
import type { GatewayEtcdOptions, GatewayOptions } from "./gateway.js";
import { defaultMaxBuffered } from "./http/http-server.js";
import { type ServedCluster, type ServedGateway, serveGateway } from "./serve-gateway.js";
import { SourceCluster } from "./source/source-cluster.js";
import { sourceHandler } from "./source-handler.js";
import type { OwnUser } from "./switch/password-observer.js";
import { switchingCluster } from "./switch-gateway.js";

/**
 * How a gateway connects to a v2 cluster: its endpoints and TLS, timeouts in milliseconds, and other options of the
 * client, with the client's defaults. Each request has the credentials of its client. `username` and `password` are for
 * requests of the gateway itself: a cut-over of a cluster with v2 auth needs a user that may read all keys (`/*`).
 */
export type GatewaySourceOptions = Pick<
  EtcdClientOptions,
  | ("urls" | "endpoints" | "discoverySrv" | "autoSync" | "endpointSelection")
  | ("ca" | "x509Certificate" | "ignoreCertificateError" | "tls" | "useProxy" | "proxy")
  | ("username" | "password")
  | ("connectTimeout" | "requestTimeout" | "writeTimeout" | "timeout")
  | ("hedgeReadsAfter" | "maxConnections" | "clock")
>;

const SOURCE_OPTIONS: KnownOptions<GatewaySourceOptions> = {
  ...{ urls: true, endpoints: true, discoverySrv: true, autoSync: true, endpointSelection: true },
  ...{ ca: true, x509Certificate: true, ignoreCertificateError: true, tls: true },
  ...{ useProxy: true, proxy: true },
  ...{ username: true, password: true },
  ...{ connectTimeout: true, requestTimeout: true, writeTimeout: true, timeout: true },
  ...{ hedgeReadsAfter: true, maxConnections: true, clock: true },
};

/** Options of {@link createSourceGateway}. */
export interface SourceGatewayOptions extends Omit<GatewayOptions, "etcd" | "rootPassword"> {
  /** The v2 cluster: its endpoints and TLS. */
  readonly source: GatewaySourceOptions;
  /**
   * The v3 cluster to which a cut-over can switch the gateway.
   *
   * @default none: it always serves the v2 cluster
   */
  readonly etcd?: GatewayEtcdOptions | undefined;
}

const OPTIONS: KnownOptions<SourceGatewayOptions> = {
  source: true,
  etcd: true,
  around: true,
  ...LISTEN_OPTIONS,
};

/**
 * Serves the v2 API of a cluster that still has it: etcd up to 3.5. Give clients the URLs of such gateways before their
 * data moves to v3. Then they need no other change. `/v2/members` and `/v2/machines` name the gateways, so that clients
 * that synchronize their endpoints stay with them. The users of v2 auth are those of the cluster. It starts even while
 * no member can be reached.
 *
 * @throws TypeError for invalid options, such as its own port in `source.urls`, and when the cluster does not serve the v2
 *   API
 * @throws Error when the port is taken
 */
export async function createSourceGateway(options: SourceGatewayOptions): Promise<ServedGateway> {
  checkServerOptions(options, OPTIONS);
  const source = openSource(options.source);
  const { etcd } = options;
  return await serveGateway(
    etcd === undefined
      ? sourceAlone(source, options)
      : switchingCluster(source, userOf(options.source), etcd, options),
    options,
  );
}

function userOf({ username, password }: GatewaySourceOptions): OwnUser | undefined {
  if (username === undefined || password === undefined) return undefined;
  return { name: username, password };
}

function sourceAlone(source: SourceCluster, options: SourceGatewayOptions): ServedCluster {
  return {
    endpoints: source.endpoints,
    handler: (draining) => sourceHandler(source, options, draining),
    prepare: () => source.requireV2(),
    endWatches: () => source.watches.endAll(),
    close: async () => source.close(),
  };
}

/** @throws OptionError */
export function openSource(options: GatewaySourceOptions): SourceCluster {
  refuseUnknown(options, SOURCE_OPTIONS, "source");
  checkOptions(options);
  // One response may list all keys.
  const maxResponseSize = defaultMaxBuffered();
  return new SourceCluster(completeOptions({ ...options, maxResponseSize }), maxResponseSize);
}
