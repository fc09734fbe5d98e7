import { resolveSrv } from "node:dns/promises";
import { ClusterUnavailableError } from "../errors/cluster-errors.js";

/**
 * Endpoints that a domain's SRV records name: those of `_etcd-client-ssl._tcp`, or without any,
 * those of `_etcd-client._tcp`. TLS is never given up for the mere presence of plain records.
 */
export async function discoverSrv(domain: string): Promise<readonly string[]> {
  const failures: unknown[] = [];
  for (const [service, scheme] of [
    ["_etcd-client-ssl._tcp", "https"],
    ["_etcd-client._tcp", "http"],
  ]) {
    try {
      const records = await resolveSrv(`${service}.${domain}`);
      if (records.length > 0) return records.map(({ name, port }) => `${scheme}://${name}:${port}`);
    } catch (error) {
      failures.push(error);
    }
  }
  const cause = new AggregateError(failures, `discoverySrv: no SRV records for ${domain}`);
  throw new ClusterUnavailableError("discovery of endpoints", [
    { endpoint: `dns:${domain}`, cause, when: new Date() },
  ]);
}
