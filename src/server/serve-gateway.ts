import { checkSelfReference } from "./check-self-reference.js";
import { type HttpServer, type ListenOptions, listen, type ServerTls } from "./http/http-server.js";
import type { V2Handler } from "./http/message.js";
import { once } from "./http/once.js";
import { Draining } from "./probes/draining.js";

export const DEFAULT_HOST = "127.0.0.1";

/** Where a gateway listens. */
type GatewayListenOptions = {
  readonly [K in keyof ListenOptions]?: ListenOptions[K] | undefined;
} & {
  readonly around?: ((handler: V2Handler) => V2Handler) | undefined;
};

/** What a gateway serves. */
export interface ServedCluster {
  /** URLs of the cluster's endpoints. */
  readonly endpoints: readonly string[];
  /** Called once. @throws OptionError for options that concern clients */
  handler(draining: Draining): V2Handler;
  /** Prepares for the first request. An error ends the gateway. */
  prepare(): Promise<void>;
  /** Called when the gateway listens at this URL. */
  started?(url: string): void;
  /** Ends every watch without an error. */
  endWatches(): void;
  /** Closes the connections to the cluster, after the last request. */
  close(): Promise<unknown>;
}

/** A running gateway. */
export interface ServedGateway extends AsyncDisposable {
  /** e.g. `http://127.0.0.1:41234` */
  readonly url: string;
  /**
   * Replaces the certificate, its key and the authorities of clients for new connections. Established
   * connections stay. TLS and `clientCa` can be replaced, but not added or removed.
   *
   * @throws OptionError when they cannot be used; the former ones then stay in use
   */
  setTls(tls: ServerTls): void;
  /**
   * From now on `/readyz` returns 503, so that load balancers send requests elsewhere. Requests are still
   * served. Call it some seconds before {@link close}.
   */
  drain(): void;
  /** Ends watches, finishes the requests in progress and frees the port. */
  close(): Promise<void>;
}

/** Serves a cluster until the gateway is closed. Closes it also when the start fails. */
export async function serveGateway(
  cluster: ServedCluster,
  {
    host = DEFAULT_HOST,
    port = 0,
    tls,
    limits,
    around = (handler) => handler,
  }: GatewayListenOptions,
): Promise<ServedGateway> {
  const draining = new Draining();
  let server: HttpServer | undefined;
  const close = once(async () => {
    draining.begin();
    const closed = server?.close();
    cluster.endWatches();
    // The requests in progress still need the cluster.
    await closed;
    await cluster.close();
  });
  try {
    const handler = around(cluster.handler(draining));
    checkSelfReference(cluster.endpoints, host, port);
    await cluster.prepare();
    server = await listen(handler, { host, port, tls, limits });
    cluster.started?.(server.url);
    return {
      url: server.url,
      setTls: server.setTls,
      drain: () => draining.begin(),
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
