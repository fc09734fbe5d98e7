import { EtcdClient, type EtcdClientOptions } from "../../src/index.js";
import { FaultProxy } from "../support/fault-proxy.js";

/** A client that reaches each member by a proxy of its own. */
export interface ProxiedClient extends AsyncDisposable {
  readonly etcd: EtcdClient;
  readonly proxies: readonly FaultProxy[];
  /** The proxy that the client stays with while all is well, over a connection that is open. */
  readonly pinned: FaultProxy;
  readonly others: readonly FaultProxy[];
}

export async function proxiedClient(
  cluster: { readonly urls: readonly string[] },
  options: Omit<EtcdClientOptions, "urls"> = {},
): Promise<ProxiedClient> {
  const proxies = await Promise.all(cluster.urls.map((url) => FaultProxy.before(url)));
  const etcd = new EtcdClient({ urls: proxies.map(({ url }) => url), ...options });
  // By quorum: on v3 what a client asks once, the index offset, is answered then, too.
  const { etcdServer } = await etcd.getNode("/", { quorum: true });
  const pinned = proxies.find(({ url }) => url === etcdServer);
  if (pinned === undefined) throw new Error(`${etcdServer} is none of the proxies`);
  return {
    etcd,
    proxies,
    pinned,
    others: proxies.filter((proxy) => proxy !== pinned),
    async [Symbol.asyncDispose]() {
      await etcd.close();
      await Promise.all(proxies.map((proxy) => proxy.close()));
    },
  };
}
