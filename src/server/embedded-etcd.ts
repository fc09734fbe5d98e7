import { MemoryClusterApi } from "../key-space/memory/memory-cluster-api.js";
import { MemoryKeySpace } from "../key-space/memory/memory-key-space.js";
import { type Clock, systemClock } from "../time/clock.js";
import { AuthStore } from "./auth/auth-store.js";
import { enforceAuth } from "./auth/enforce-auth.js";
import { checkServerOptions } from "./check-server-options.js";
import { createV2Handler } from "./create-v2-handler.js";
import type { BrowserOptions } from "./http/browser-access.js";
import { type HttpServer, listen, type ServerLimits, type ServerTls } from "./http/http-server.js";
import { once } from "./http/once.js";
import { SnapshotFile } from "./snapshot/snapshot-file.js";
import { SnapshotKeeper } from "./snapshot/snapshot-keeper.js";
import { type ServerSnapshot, SnapshotError } from "./snapshot/snapshot-reader.js";
import type { KeySpaces } from "./snapshot/snapshot-writer.js";

/** Options of {@link startEmbeddedEtcd}. */
export interface EmbeddedEtcdOptions extends BrowserOptions {
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
   * File that keeps keys, users and roles: read at the start, written about a second after a change
   * and at the end. One server at a time can use it: it is locked by `FILE.lock` beside it. While it
   * cannot be written, `/health` is 503. Absent: nothing survives.
   */
  readonly snapshotFile?: string;
  /**
   * Enforces auth from the start, with this password for user `root`; one that the snapshot file
   * already knows is replaced. Requests without credentials may then do nothing, unless the file
   * has a role `guest`. Absent: auth is as the snapshot file says, else off.
   */
  readonly rootPassword?: string;
  /**
   * Most events that are held for watchers that come late; of long ones fewer, in all at most 32 Mi
   * characters of keys and values.
   *
   * @default 1000, as etcd
   */
  readonly historySize?: number;
  readonly limits?: ServerLimits;
  /**
   * Client URLs that `/v2/machines` and `/v2/members` show. Clients that synchronise their endpoints
   * use these from then on. Needed behind a proxy that ends TLS or changes `Host`.
   *
   * @default the URL at which the client reached this server
   */
  readonly advertise?: readonly string[];
  /**
   * What tells the time for TTLs.
   *
   * @default this process's clock
   */
  readonly clock?: Clock;
}

/** An etcd in this process, of one member, with the v2 API. */
export interface EmbeddedEtcd extends AsyncDisposable {
  /** e.g. `http://127.0.0.1:41234` */
  readonly url: string;
  /** Its keys, without HTTP between. */
  readonly keySpace: MemoryKeySpace;
  /**
   * Ends watches, answers what is under way, frees the port and saves the snapshot.
   *
   * @throws Error when the snapshot cannot be written; everything else is closed even then
   */
  close(): Promise<void>;
}

/**
 * Starts an etcd in this process, within milliseconds.
 *
 * @throws TypeError for an option that does not exist, or a URL, an origin or a host name that
 *   cannot be used
 * @throws Error when the port is taken, or the snapshot file is damaged, in use, or cannot be written
 */
export async function startEmbeddedEtcd(options: EmbeddedEtcdOptions = {}): Promise<EmbeddedEtcd> {
  checkServerOptions(options, ["snapshotFile", "historySize", "clock"]);
  const { snapshotFile, rootPassword, clock = systemClock } = options;
  const file =
    snapshotFile === undefined ? undefined : await SnapshotFile.open(snapshotFile, clock);
  let keySpaces: KeySpaces | undefined;
  let keeper: SnapshotKeeper | undefined;
  let server: HttpServer | undefined;
  const close = async (): Promise<void> => {
    await Promise.all([keySpaces?.keys.close(), server?.close()]);
    await keySpaces?.auth.close();
    await (keeper ?? file)?.close();
  };
  try {
    const snapshot = await file?.read();
    keySpaces = keySpacesOf(snapshot, options);
    const { keys, auth } = keySpaces;
    if (file !== undefined) {
      keeper = new SnapshotKeeper(file, keySpaces, clock, snapshot === undefined);
    }
    if (rootPassword !== undefined) await enforceAuth(new AuthStore(auth), rootPassword);
    server = await serve(keySpaces, keeper, options);
    await keeper?.start();
    const closeOnce = once(close);
    return { url: server.url, keySpace: keys, close: closeOnce, [Symbol.asyncDispose]: closeOnce };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Empty ones where there is no snapshot. @throws SnapshotError for one that makes no sense */
function keySpacesOf(
  snapshot: ServerSnapshot | undefined,
  { snapshotFile = "", historySize = 1000, clock = systemClock }: EmbeddedEtcdOptions,
): KeySpaces {
  try {
    const keys = new MemoryKeySpace({ historySize, clock }, snapshot?.keys);
    const auth = new MemoryKeySpace({ historySize, clock }, snapshot?.auth);
    return { keys, auth };
  } catch (error) {
    if (snapshot === undefined) throw error;
    throw new SnapshotError(snapshotFile, `cannot be restored: ${(error as Error).message}`, error);
  }
}

async function serve(
  { keys: keySpace, auth: authKeySpace }: KeySpaces,
  keeper: SnapshotKeeper | undefined,
  options: EmbeddedEtcdOptions,
): Promise<HttpServer> {
  const { port = 0, host = "127.0.0.1", tls, limits, clock = systemClock } = options;
  const clusterApi = new MemoryClusterApi(keySpace, { clock, problem: () => keeper?.problem });
  const handler = createV2Handler({
    keySpace,
    authKeySpace,
    clusterApi,
    clusterId: async () => keySpace.clusterId,
    advertise: options.advertise,
    cors: options.cors,
    allowedHosts: options.allowedHosts,
    host,
    metrics: () => keeper?.metrics() ?? [],
  });
  const server = await listen(handler, { host, port, tls, limits });
  clusterApi.announce([server.url]);
  return server;
}
