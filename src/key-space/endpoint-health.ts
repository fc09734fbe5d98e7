import type { Cluster } from "../cluster/cluster.js";
import { EtcdError } from "../errors/etcd-error.js";
import { isEtcdError } from "../errors/is-etcd-error.js";
import type { EndpointHealth } from "../model/cluster.js";
import { adminGet } from "../wire/admin-request.js";
import { AttemptFailure } from "../wire/attempt-failure.js";

/** Asks one endpoint for its health. What it throws is why the endpoint is unhealthy. */
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
  const answers = endpoints.map((endpoint) =>
    check(endpoint, signal).catch((error: unknown) => unhealthy(endpoint, error)),
  );
  return Promise.all(answers);
}

/** Whether any endpoint is healthy. It waits for no other once one says so. */
export async function isAnyHealthy(cluster: Cluster, check: HealthCheck): Promise<boolean> {
  const endpoints = await cluster.endpoints(REQUEST, undefined);
  const known = new AbortController();
  const answers = endpoints.map(async (endpoint) => {
    const { healthy } = await check(endpoint, known.signal);
    if (!healthy) throw new Error("not healthy");
  });
  const found = await Promise.any(answers).then(
    () => true,
    () => false,
  );
  known.abort();
  return found;
}

function unhealthy(endpoint: string, error: unknown): EndpointHealth {
  const isReason = error instanceof AttemptFailure || error instanceof EtcdError;
  if (!isReason || isEtcdError(error, "Abort")) throw error;
  return { endpoint, healthy: false, reason: error.message };
}
