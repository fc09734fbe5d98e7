import type { Cluster } from "../cluster/cluster.js";
import { EtcdError } from "../errors/etcd-error.js";
import { isEtcdError } from "../errors/is-etcd-error.js";
import type { EndpointHealth } from "../model/cluster.js";
import { adminGet } from "../wire/admin-request.js";
import { AttemptFailure } from "../wire/attempt-failure.js";

/**
 * Checks the health of one endpoint. An error it throws is the reason why the endpoint is
 * unhealthy.
 */
export type HealthCheck = (
  endpoint: string,
  signal: AbortSignal | undefined,
) => Promise<EndpointHealth>;

const REQUEST = adminGet("/health");

/** The health of every endpoint. @throws AbortError */
export async function healthOfEach(
  cluster: Cluster,
  check: HealthCheck,
  signal: AbortSignal | undefined,
): Promise<readonly EndpointHealth[]> {
  const endpoints = await cluster.endpoints(REQUEST, signal);
  const checks = endpoints.map((endpoint) =>
    check(endpoint, signal).catch((error: unknown) => unhealthy(endpoint, error)),
  );
  return Promise.all(checks);
}

/** Whether any endpoint is healthy. Resolves with the first healthy endpoint. */
export async function isAnyHealthy(cluster: Cluster, check: HealthCheck): Promise<boolean> {
  const endpoints = await cluster.endpoints(REQUEST, undefined);
  const aborter = new AbortController();
  const checks = endpoints.map(async (endpoint) => {
    const { healthy } = await check(endpoint, aborter.signal);
    if (!healthy) throw new Error("not healthy");
  });
  const isHealthy = await Promise.any(checks).then(
    () => true,
    () => false,
  );
  aborter.abort();
  return isHealthy;
}

function unhealthy(endpoint: string, error: unknown): EndpointHealth {
  const isReason = error instanceof AttemptFailure || error instanceof EtcdError;
  if (!isReason || isEtcdError(error, "Abort")) throw error;
  return { endpoint, healthy: false, reason: error.message };
}
