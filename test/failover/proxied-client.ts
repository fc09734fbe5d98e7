import { EtcdClient, type EtcdClientOptions } from "../../src/index.js";
import { FaultProxy } from "../support/fault-proxy.js";

/** A client that reaches each member through its own proxy. */
export interface ProxiedClient extends AsyncDisposable {
  readonly etcd: EtcdClient;
  readonly proxies: readonly FaultProxy[];
  /** The proxy of the client's current endpoint, with an open connection. */
  readonly pinned: FaultProxy;
  readonly others: readonly FaultProxy[];
}

export async function proxiedClient(
  cluster: { readonly urls: readonly string[] },
  options: Omit<EtcdClientOptions, "urls"> = {},
): Promise<ProxiedClient> {
  const proxies = await Promise.all(cluster.urls.map((url) => FaultProxy.before(url)));
  const etcd = new EtcdClient({ urls: proxies.map(({ url }) => url), ...options });
  // With quorum: on v3, the client then has also read the index offset.
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
