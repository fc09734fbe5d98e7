import { checkSelfReference } from "./check-self-reference.js";
import { type HttpServer, listen, type ServerLimits, type ServerTls } from "./http/http-server.js";
import type { V2Handler } from "./http/message.js";
import { once } from "./http/once.js";
import { Draining } from "./probes/draining.js";

export const DEFAULT_HOST = "127.0.0.1";

/** Where a gateway listens. */
interface ListenOptions {
  readonly port?: number | undefined;
  readonly host?: string | undefined;
  readonly tls?: ServerTls | undefined;
  readonly limits?: ServerLimits | undefined;
}

/** What a gateway serves. */
export interface ServedCluster {
  /** URLs of the cluster's endpoints. */
  readonly endpoints: readonly string[];
  /** Called once. @throws OptionError for options that concern clients */
  handler(draining: Draining): V2Handler;
  /** Prepares for the first request. An error ends the gateway. */
  prepare(): Promise<void>;
  /** Ends every watch without an error. */
  endWatches(): void;
  /** Closes the connections to the cluster, after the last request. */
  close(): Promise<unknown>;
}

/** A gateway that listens. */
export interface ServedGateway extends AsyncDisposable {
  readonly url: string;
  setTls(tls: ServerTls): void;
  drain(): void;
  close(): Promise<void>;
}

/** Serves a cluster until the gateway is closed. Closes it also when the start fails. */
export async function serveGateway(
  cluster: ServedCluster,
  { host = DEFAULT_HOST, port = 0, tls, limits }: ListenOptions,
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
    const handler = cluster.handler(draining);
    checkSelfReference(cluster.endpoints, host, port);
    await cluster.prepare();
    server = await listen(handler, { host, port, tls, limits });
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
