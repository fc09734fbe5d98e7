import { AuthStore } from "../auth/auth-store.js";
import { MemoryClusterApi } from "../key-space/memory/memory-cluster-api.js";
import { MemoryKeySpace } from "../key-space/memory/memory-key-space.js";
import type { KnownOptions } from "../model/option-names.js";
import type { Clock } from "../time/clock.js";
import { ReleasableClock } from "../time/releasable-clock.js";
import { enforceAuth } from "./auth/enforce-auth.js";
import { checkServerOptions, LISTEN_OPTIONS } from "./check-server-options.js";
import { createV2Handler } from "./create-v2-handler.js";
import type { BrowserOptions } from "./http/browser-access.js";
import { type HttpServer, listen, type ServerLimits, type ServerTls } from "./http/http-server.js";
import { once } from "./http/once.js";
import { Draining } from "./probes/draining.js";
import { SnapshotFile } from "./snapshot/snapshot-file.js";
import { SnapshotKeeper } from "./snapshot/snapshot-keeper.js";
import { type ServerSnapshot, SnapshotError } from "./snapshot/snapshot-reader.js";
import type { KeySpaces } from "./snapshot/snapshot-writer.js";

/** Options of {@link startEmbeddedEtcd}. */
export interface EmbeddedEtcdOptions extends BrowserOptions {
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
   * File that keeps keys, users and roles. It is read at the start, and written about a second after a
   * change and at the end. One server at a time can use it, which `FILE.lock` in the same directory ensures. While it
   * cannot be written, `/health` returns 503. Absent: all data is lost when the server closes.
   */
  readonly snapshotFile?: string | undefined;
  /**
   * Enforces auth from the start, with this password for user `root`; it replaces a password in the
   * snapshot file. Requests without credentials are then refused, unless the file has a role `guest`.
   * Absent: auth is on if the snapshot file says so, else off.
   */
  readonly rootPassword?: string | undefined;
  /**
   * Maximum number of events kept for watches that start at an earlier index. Long events reduce the
   * number: in all, at most 32 Mi characters of keys and values are kept.
   *
   * @default 1000, as etcd
   */
  readonly historySize?: number | undefined;
  readonly limits?: ServerLimits | undefined;
  /**
   * Client URLs that `/v2/machines` and `/v2/members` show. Clients that synchronize their endpoints
   * use these URLs afterwards. Needed behind a proxy that terminates TLS or changes `Host`.
   *
   * @default the URL at which the client reached this server
   */
  readonly advertise?: readonly string[] | undefined;
  /**
   * Clock for TTLs.
   *
   * @default this process's clock
   */
  readonly clock?: Clock | undefined;
}

const OPTIONS: KnownOptions<EmbeddedEtcdOptions> = {
  snapshotFile: true,
  historySize: true,
  clock: true,
  rootPassword: true,
  ...LISTEN_OPTIONS,
};

/** An etcd with one member and the v2 API, in this process. */
export interface EmbeddedEtcd extends AsyncDisposable {
  /** e.g. `http://127.0.0.1:41234` */
  readonly url: string;
  /** Direct access to its keys, without HTTP. */
  readonly keySpace: MemoryKeySpace;
  /**
   * Replaces the certificate, its key and the authorities of clients for new connections. Established
   * connections stay. TLS and `clientCa` can be replaced, but not added or removed.
   *
   * @throws OptionError when they cannot be used; the former ones then stay in use
   */
  setTls(tls: ServerTls): void;
  /** Enforces v2 auth with this password for user `root`, as the option `rootPassword` does at the start. */
  setRootPassword(password: string): Promise<void>;
  /**
   * From now on `/readyz` returns 503, so that load balancers send requests elsewhere. Requests are still
   * served. Call it some seconds before {@link close}.
   */
  drain(): void;
  /**
   * From now on, the process may end while the server runs. Nothing is saved at that time: with a
   * `snapshotFile`, call {@link close}. Timers of a `clock` of your own keep what they are.
   */
  unref(): void;
  /**
   * Ends watches, finishes the requests in progress, frees the port and saves the snapshot.
   *
   * @throws Error when the snapshot cannot be written; everything else is closed nevertheless
   */
  close(): Promise<void>;
}

/**
 * Starts an etcd in this process, within milliseconds.
 *
 * @throws TypeError for an unknown option, or an invalid URL, origin or host name
 * @throws Error when the port is taken, or the snapshot file is damaged, in use, or cannot be written
 *
 * @example
 * import { startEmbeddedEtcd } from "etcdnet/server";
 *
 * const server = await startEmbeddedEtcd();
 * const etcd = new EtcdClient({ endpoints: server.url });
 * await etcd.close();
 * await server.close();
 */
export async function startEmbeddedEtcd(options: EmbeddedEtcdOptions = {}): Promise<EmbeddedEtcd> {
  checkServerOptions(options, OPTIONS);
  const { snapshotFile, rootPassword } = options;
  const ownClock = new ReleasableClock();
  const clock = options.clock ?? ownClock;
  const file =
    snapshotFile === undefined ? undefined : await SnapshotFile.open(snapshotFile, clock);
  let keySpaces: KeySpaces | undefined;
  let keeper: SnapshotKeeper | undefined;
  const draining = new Draining();
  let server: HttpServer | undefined;
  const close = async (): Promise<void> => {
    draining.begin();
    await Promise.all([keySpaces?.keys.close(), server?.close()]);
    await keySpaces?.auth.close();
    await (keeper ?? file)?.close();
  };
  try {
    const snapshot = await file?.read();
    keySpaces = keySpacesOf(snapshot, options, clock);
    const { keys, auth } = keySpaces;
    if (file !== undefined) {
      keeper = new SnapshotKeeper(file, keySpaces, clock, snapshot === undefined);
    }
    const setRootPassword = (password: string) => enforceAuth(new AuthStore(auth), password);
    if (rootPassword !== undefined) await setRootPassword(rootPassword);
    server = await serve(keySpaces, keeper, draining, options, clock);
    await keeper?.start();
    const { unref } = server;
    const closeOnce = once(close);
    return {
      url: server.url,
      keySpace: keys,
      setTls: server.setTls,
      setRootPassword,
      drain: () => draining.begin(),
      unref: () => {
        ownClock.unref();
        unref();
      },
      close: closeOnce,
      [Symbol.asyncDispose]: closeOnce,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The key spaces in the snapshot; empty ones without a snapshot. @throws SnapshotError if it is invalid */
function keySpacesOf(
  snapshot: ServerSnapshot | undefined,
  { snapshotFile = "", historySize = 1000 }: EmbeddedEtcdOptions,
  clock: Clock,
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
  draining: Draining,
  options: EmbeddedEtcdOptions,
  clock: Clock,
): Promise<HttpServer> {
  const { port = 0, host = "127.0.0.1", tls, limits } = options;
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
    notReady: () => draining.reason,
    metrics: () => keeper?.metrics() ?? [],
  });
  const server = await listen(handler, { host, port, tls, limits });
  clusterApi.announce([server.url]);
  return server;
}
