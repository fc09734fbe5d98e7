import { AdminError } from "../errors/admin-error.js";
import {
  CHECK_LIMITS,
  checkHealth,
  checkPort,
  cutoverChecks,
  type GatewayCheck,
} from "./check-gateway.js";
import { checkSelfReference } from "./check-self-reference.js";
import { gatewayParts } from "./gateway-parts.js";
import { Draining } from "./probes/draining.js";
import { DEFAULT_HOST } from "./serve-gateway.js";
import type { SourceCluster } from "./source/source-cluster.js";
import { openSource, type SourceGatewayOptions } from "./source-gateway.js";
import { sourceHandler } from "./source-handler.js";

/**
 * Checks what {@link createSourceGateway} would need with these options, without listening and without a change in the
 * cluster.
 *
 * @param report runs a check, reports its result, and returns whether it succeeded
 * @throws OptionError
 */
export async function checkSourceGateway(
  options: SourceGatewayOptions,
  report: (check: GatewayCheck) => Promise<boolean>,
): Promise<void> {
  const { host = DEFAULT_HOST, port = 0 } = options;
  const source = openSource({ ...options.source, ...CHECK_LIMITS });
  const target =
    options.etcd && gatewayParts({ ...options.etcd, ...CHECK_LIMITS, api: "v3" as const });
  const checks: readonly Omit<GatewayCheck, "isRequired">[] = [
    {
      name: "options",
      run: async () => {
        sourceHandler(source, options, new Draining());
        checkSelfReference([...source.endpoints, ...(target?.endpoints ?? [])], host, port);
        return "";
      },
    },
    { name: `listen on ${host} port ${port}`, run: () => checkPort(host, port) },
    { name: "reach the cluster", run: () => checkHealth(source.clusterApi) },
    {
      name: "read a key through the v2 API",
      run: async () => ((await source.refusesGuests()) ? "v2 auth refuses guests" : ""),
    },
    ...(source.hasUser
      ? [{ name: "read all keys as its user", run: () => checkUser(source) }]
      : []),
    { name: "have no rights in the cluster", run: () => checkRights(source) },
  ];
  try {
    for (const check of checks) await report({ ...check, isRequired: false });
    for (const check of target === undefined ? [] : cutoverChecks(target)) {
      if (!(await report(check)) && check.isRequired) return;
    }
  } finally {
    source.close();
    await Promise.all([target?.keySpace.close(), target?.authKeySpace.close()]);
  }
}

/** @throws UnauthorizedError when the user of the gateway may not read all keys */
async function checkUser({ keySpace }: SourceCluster): Promise<string> {
  const watch = await keySpace.openWatch({ key: "/", recursive: true, stream: true });
  watch.close();
  return "";
}

/** @throws Error when the cluster takes requests without credentials for requests of a user */
async function checkRights({ clusterApi: { auth } }: SourceCluster): Promise<string> {
  if (!(await auth.isEnabled())) return "v2 auth is off";
  try {
    await auth.users.list();
  } catch (error) {
    if (error instanceof AdminError) return "v2 auth is on";
    throw error;
  }
  throw new Error(
    "etcd takes the client certificate for that of user root, so every client would be root; use a certificate without names of users, also of its authorities",
  );
}
