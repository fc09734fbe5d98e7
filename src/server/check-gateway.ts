import { once } from "node:events";
import { createServer } from "node:net";
import { AuthStore } from "../auth/auth-store.js";
import { isEtcdError } from "../errors/is-etcd-error.js";
import { RPC } from "../etcd3/rpcs.js";
import type { V3Call } from "../etcd3/v3-api.js";
import type { ClusterApi } from "../key-space/cluster-api.js";
import { authPrefix, cutoverPrefix, KeySchema } from "../key-space/v3/schema/key-schema.js";
import { checkSelfReference } from "./check-self-reference.js";
import { type GatewayOptions, handlerOf } from "./gateway.js";
import { type GatewayParts, gatewayParts } from "./gateway-parts.js";
import { DEFAULT_HOST } from "./serve-gateway.js";

/** One thing that a gateway needs. */
export interface GatewayCheck {
  /** What is checked, e.g. `write the users of v2 auth`. */
  readonly name: string;
  /** Whether the checks after this one make no sense when it fails. */
  readonly isRequired: boolean;
  /** Resolves with details for a reader, or rejects with the reason why the gateway would not work. */
  run(): Promise<string>;
}

/** A hidden key that nobody uses. */
const ABSENT = "/_etcdnet_check";

/** Shorter than the client's: a hung member must not delay the result for long. */
export const CHECK_LIMITS = {
  connectTimeout: 2_000,
  requestTimeout: 2_000,
  writeTimeout: 3_000,
  timeout: 6_000,
};

/**
 * Checks what {@link createGateway} would need with these options, without listening and without a
 * change in the cluster. Takes at most about half a minute.
 *
 * @param report runs a check, reports its result, and returns whether it succeeded
 * @throws OptionError
 */
export async function checkGateway(
  options: GatewayOptions,
  report: (check: GatewayCheck) => Promise<boolean>,
): Promise<void> {
  const parts = gatewayParts({ ...options.etcd, ...CHECK_LIMITS, api: "v3" });
  try {
    for (const check of checksOf(parts, options)) {
      if (!(await report(check)) && check.isRequired) return;
    }
  } finally {
    await Promise.all([parts.keySpace.close(), parts.authKeySpace.close()]);
  }
}

function checksOf(parts: GatewayParts, options: GatewayOptions): readonly GatewayCheck[] {
  const { host = DEFAULT_HOST, port = 0 } = options;
  const store = new AuthStore(parts.authKeySpace);
  return [
    check("options", async () => {
      handlerOf(store, parts, options);
      checkSelfReference(parts.endpoints, host, port);
      return "";
    }),
    check(`listen on ${host} port ${port}`, () => checkPort(host, port)),
    ...clusterChecks(parts, store),
  ];
}

function check(name: string, run: () => Promise<string>, isRequired = false): GatewayCheck {
  return { name, isRequired, run };
}

function clusterChecks(parts: GatewayParts, store: AuthStore): readonly GatewayCheck[] {
  const { keyPrefix } = parts;
  const tree = `the tree "${keyPrefix}/"`;
  return [
    check("reach the cluster", () => checkMembers(parts), true),
    check(`read ${tree}`, () => checkRead(parts, new KeySchema(keyPrefix))),
    check(`write ${tree}`, () => checkWrite(parts, new KeySchema(keyPrefix))),
    check("read the users of v2 auth", async () =>
      (await store.isEnabled()) ? "v2 auth is on" : "v2 auth is off",
    ),
    check("write the users of v2 auth", () =>
      checkWrite(parts, new KeySchema(authPrefix(keyPrefix))),
    ),
  ];
}

/** What a gateway needs of the v3 cluster to which a cut-over switches it. */
export function cutoverChecks(parts: GatewayParts): readonly GatewayCheck[] {
  const checks = [
    ...clusterChecks(parts, new AuthStore(parts.authKeySpace)),
    check("write the records of the cut-over", () =>
      checkWrite(parts, new KeySchema(cutoverPrefix(parts.keyPrefix))),
    ),
  ];
  return checks.map((each) => ({ ...each, name: `on v3: ${each.name}` }));
}

export async function checkPort(host: string, port: number): Promise<string> {
  const server = createServer().listen({ host, port });
  await once(server, "listening");
  server.close();
  await once(server, "close");
  return "the port is free";
}

async function checkMembers({ api, members }: GatewayParts): Promise<string> {
  await api.call(RPC.status, {}, { ...CALL, operation: "POST /v3/maintenance/status" });
  return await checkHealth(members);
}

/** @throws Error when no member is healthy */
export async function checkHealth(members: Pick<ClusterApi, "health">): Promise<string> {
  const all = await members.health();
  const healthy = all.filter((member) => member.healthy);
  const failures = all.flatMap(({ endpoint, reason }) => (reason ? `${endpoint}: ${reason}` : []));
  if (healthy.length === 0) throw new Error(`no member is healthy (${failures.join("; ")})`);
  return [`${healthy.length} of ${all.length} endpoints are healthy`, ...failures].join("; ");
}

/** Reads one key of the tree, which may be large, with the permission for all of them. */
async function checkRead({ api, keySpace }: GatewayParts, schema: KeySchema): Promise<string> {
  const range = { ...schema.everything, limit: 1, keys_only: true };
  await api.call(RPC.range, range, { ...CALL, operation: "POST /v3/kv/range" });
  try {
    // The first read also reads which prefixes are in use.
    await keySpace.execute({ action: "get", key: ABSENT, quorum: true });
  } catch (error) {
    if (!isEtcdError(error, "KeyNotFound")) throw error;
  }
  return "no other prefix overlaps it";
}

/**
 * Whether the user may write the keys of a tree. etcd checks the permissions for all operations of a
 * transaction before it compares. The comparison here is false: no version is less than 0.
 */
async function checkWrite({ api }: GatewayParts, schema: KeySchema): Promise<string> {
  const keys = [schema.heartbeat, schema.file(ABSENT)];
  await api.call(
    RPC.txn,
    {
      compare: [{ key: schema.heartbeat, target: "VERSION", result: "LESS", version: 0 }],
      success: keys.map((key) => ({ request_put: { key, value: "" } })),
    },
    { ...CALL, operation: "POST /v3/kv/txn" },
  );
  return "";
}

/** Safe to repeat: no call here changes anything. */
const CALL: Omit<V3Call, "operation"> = { key: "/", safety: "read", scope: "quorum" };
