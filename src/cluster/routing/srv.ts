// Not imported by name: `dns.setServers` replaces the functions, which a named import would not
// see.
import { promises as dns } from "node:dns";
import { ClusterUnavailableError } from "../../errors/cluster-errors.js";

/**
 * Returns the endpoints in a domain's SRV records: those of `_etcd-client-ssl._tcp`, otherwise
 * those of `_etcd-client._tcp`. Plain records are used only when there are certainly no TLS
 * records.
 */
export async function discoverSrv(domain: string): Promise<readonly string[]> {
  const failures: unknown[] = [];
  const notFound = (): ClusterUnavailableError => {
    const cause = new AggregateError(failures, `discoverySrv: no SRV records for ${domain}`);
    return new ClusterUnavailableError("discovery of endpoints", [
      { endpoint: `dns:${domain}`, cause, when: new Date() },
    ]);
  };
  for (const [service, scheme] of [
    ["_etcd-client-ssl._tcp", "https"],
    ["_etcd-client._tcp", "http"],
  ]) {
    try {
      const records = await dns.resolveSrv(`${service}.${domain}`);
      const urls = records.map(({ name, port }) => new URL(`${scheme}://${name}:${port}`).origin);
      if (urls.length > 0) return [...new Set(urls)];
    } catch (error) {
      failures.push(error);
      if (!isNotFound(error)) throw notFound();
    }
  }
  throw notFound();
}

/** Whether the DNS response states that no records exist. A failed lookup does not. */
function isNotFound(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOTFOUND" || code === "ENODATA";
}
