// Not by name: `dns.setServers` replaces the functions, which an import by name would not see.
import { promises as dns } from "node:dns";
import { ClusterUnavailableError } from "../../errors/cluster-errors.js";

/**
 * Endpoints that a domain's SRV records name: those of `_etcd-client-ssl._tcp`, or without any,
 * those of `_etcd-client._tcp`. TLS is never given up for the mere presence of plain records.
 */
export async function discoverSrv(domain: string): Promise<readonly string[]> {
  const failures: unknown[] = [];
  const none = (): ClusterUnavailableError => {
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
      if (!isAbsence(error)) throw none();
    }
  }
  throw none();
}

/** Only an answer says that there are no records; a server that fails leaves it open. */
function isAbsence(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOTFOUND" || code === "ENODATA";
}
