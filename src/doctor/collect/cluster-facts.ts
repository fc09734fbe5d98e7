import { EtcdClient } from "../../client/etcd-client.js";
import { checkOptions, completeOptions } from "../../client/normalize-options.js";
import type { EtcdClientOptions } from "../../client/options.js";
import { UnauthorizedError } from "../../errors/common-errors.js";
import { toHexId } from "../../etcd3/hex-id.js";
import { RemoteV3Api } from "../../etcd3/remote-v3-api.js";
import { RPC } from "../../etcd3/rpcs.js";
import type { V3Api } from "../../etcd3/v3-api.js";
import { v3Probes } from "../../key-space/v3/admin/v3-probes.js";
import { isReplaced } from "../../transfer/source/replaced-text.js";
import { walkTree } from "../../transfer/source/walk-tree.js";
import { type Checked, checked, isChecked, knownValue } from "../checked.js";
import type { ClusterFacts, EndpointFacts, ListedMember, V2Auth } from "../cluster-facts.js";
import { V2Census, type V2Facts } from "../v2-census.js";
import { memberStateAt } from "./member-state.js";

/** Options of {@link collectCluster}. */
export interface CollectOptions {
  /** Connection and credentials of the cluster, with `urls`. */
  readonly client: EtcdClientOptions & { readonly urls: readonly string[] };
  /** Prefix of the v3 keys that a migration would write. */
  readonly keyPrefix: string;
  /** Time to read the v2 keys, in milliseconds. A server could show keys without end. */
  readonly walkTimeout: number;
}

/** A read that a member responds from its own state, without an entry in the log. */
const LOCAL_READ = { key: "/", safety: "read", scope: "local" } as const;

/**
 * Asks the endpoints of a cluster for everything that matters for an upgrade. Writes nothing, and sends no
 * linearizable v2 read and no `/health`, which would put entries into the log.
 */
export async function collectCluster(options: CollectOptions): Promise<ClusterFacts> {
  const { client, keyPrefix } = options;
  const api = openApi(client);
  const anonymous = openApi({ ...client, username: undefined, password: undefined });
  try {
    const endpoints = await Promise.all(
      client.urls.map((url) => memberStateAt(url, { cluster: anonymous.cluster, api })),
    );
    const known = endpoints.filter(({ state }) => isChecked(state)).map(({ url }) => url);
    const [members, v3Auth, v3Keys, v2] = await Promise.all([
      firstOf(known, (url) => membersAt(url, api)),
      firstOf(known, (url) => needsUser(url, anonymous)),
      firstOf(known, (url) => countAt(url, api, keyPrefix)),
      collectV2(endpoints, options),
    ]);
    return { endpoints, members, v3Auth, v3Keys, keyPrefix, ...v2 };
  } finally {
    api.close();
    anonymous.close();
  }
}

function openApi(client: EtcdClientOptions): RemoteV3Api {
  const options = { ...client, api: "v3" } as const;
  checkOptions(options);
  const { cluster, credentials } = completeOptions(options);
  return new RemoteV3Api(cluster, credentials, v3Probes);
}

/** The first usable response of the endpoints, which are asked one after the other. */
async function firstOf<T>(
  urls: readonly string[],
  ask: (url: string) => Promise<T>,
): Promise<Checked<T>> {
  let result: Checked<T> = { unchecked: "no endpoint gave a usable response" };
  for (const url of urls) {
    result = await checked(ask(url));
    if (isChecked(result)) break;
  }
  return result;
}

async function membersAt(endpoint: string, api: V3Api): Promise<readonly ListedMember[]> {
  const call = { ...LOCAL_READ, operation: "member list", endpoint };
  const { message } = await api.call(RPC.memberList, {}, call);
  return message.members.map(({ ID, name, isLearner, clientURLs }) => ({
    ...{ id: toHexId(ID), name, isLearner, clientURLs },
  }));
}

/** A key that need not exist: etcd checks the user first. */
const ANY_KEY = { key: "etcdnet-doctor", limit: 1, keys_only: true, serializable: true };

async function needsUser(endpoint: string, anonymous: V3Api): Promise<boolean> {
  try {
    await anonymous.call(RPC.range, ANY_KEY, { ...LOCAL_READ, operation: "read", endpoint });
    return false;
  } catch (error) {
    if (error instanceof UnauthorizedError) return true;
    throw error;
  }
}

async function countAt(endpoint: string, api: V3Api, keyPrefix: string): Promise<number> {
  const range = { key: `${keyPrefix}/`, range_end: `${keyPrefix}0` };
  const request = { ...range, limit: 1, keys_only: true, serializable: true };
  const call = { ...LOCAL_READ, operation: "count of keys", endpoint };
  return (await api.call(RPC.range, request, call)).message.count;
}

/** Reads the v2 store at the first member that serves it. */
async function collectV2(
  endpoints: readonly EndpointFacts[],
  { client, walkTimeout }: CollectOptions,
): Promise<Pick<ClusterFacts, "v2" | "v2Auth">> {
  const serving = endpoints.find(({ state }) => {
    const servesV2 = knownValue(state)?.servesV2;
    return servesV2 !== undefined && knownValue(servesV2) === true;
  });
  if (serving === undefined) return { v2: undefined, v2Auth: undefined };
  await using etcd = new EtcdClient({ ...client, urls: [serving.url] });
  const [v2, v2Auth] = await Promise.all([
    checked(v2FactsOf(etcd, walkTimeout)),
    checked(v2AuthOf(etcd)),
  ]);
  return { v2, v2Auth };
}

async function v2FactsOf(etcd: EtcdClient, walkTimeout: number): Promise<V2Facts> {
  const census = new V2Census();
  const signal = AbortSignal.timeout(walkTimeout);
  let nodes = 0;
  try {
    for await (const entry of walkTree(etcd.keySpace, "/", { quorum: false, signal })) {
      const { key, value, ttl } = entry;
      const isText = !isReplaced(key) && !(value !== undefined && isReplaced(value));
      census.add({ key, ...(value !== undefined && { value }), hasTtl: ttl !== undefined, isText });
      nodes++;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new Error(`not all keys were read within ${walkTimeout / 1000} s: ${nodes} so far`);
  }
  return census.result("the v2 API does not list them; the files of a member show them");
}

async function v2AuthOf({ auth }: EtcdClient): Promise<V2Auth> {
  const isEnabled = await auth.isEnabled();
  const [users, roles] = await Promise.all([auth.users.list(), auth.roles.list()]);
  return {
    isEnabled,
    users: users.map(({ user }) => user),
    roles: roles.map(({ role }) => role).filter((role) => role !== "root"),
  };
}
