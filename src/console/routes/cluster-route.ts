import { EtcdClient } from "../../client/etcd-client.js";
import type { EtcdClientOptions } from "../../client/options.js";
import { toHexId } from "../../etcd3/hex-id.js";
import { RPC } from "../../etcd3/rpcs.js";
import type { V3Call } from "../../etcd3/v3-api.js";
import { failureOf } from "../http/json-exchange.js";
import type { V3Store } from "../http/v3-store.js";
import type { ClusterAnswer, EndpointState } from "../model/page-types.js";
import type { ConsoleRequest } from "./route.js";

/** An alarm in a status: `memberID:1234 alarm:NOSPACE`. */
const ALARM = /alarm:([A-Z]+)/;

/** Members, leader and endpoints. What could not be found out is missing, and says why. */
export async function showCluster({ session, signal }: ConsoleRequest): Promise<ClusterAnswer> {
  const { etcd } = session;
  const problems: string[] = [];
  const orNote = async <T>(what: string, read: Promise<T>): Promise<T | undefined> => {
    try {
      return await read;
    } catch (error) {
      problems.push(`${what}: ${failureOf(error).message}`);
      return undefined;
    }
  };
  const [members = [], leader, health = []] = await Promise.all([
    orNote("members", etcd.members.list({ signal })),
    orNote("leader", etcd.members.leader({ signal })),
    orNote("health", etcd.health({ signal })),
  ]);
  const store = session.v3Store();
  const endpoints = await Promise.all(
    health.map(async (each): Promise<EndpointState> => {
      const { endpoint, healthy } = each;
      // A member with an alarm is not healthy, but tells its status.
      const details = store
        ? statusAt(endpoint, store, signal)
        : versionAt(endpoint, session.options, signal);
      if (!healthy) return { ...each, ...(await details.catch(() => undefined)) };
      const what = `${store ? "status" : "version"} of ${endpoint}`;
      return { ...each, ...(await orNote(what, details)) };
    }),
  );
  const stats = store ? undefined : await orNote("statistics", etcd.stats.store({ signal }));
  return {
    members: members.map((member) => ({ ...member, isLeader: member.id === leader?.id })),
    ...{ endpoints, problems },
    ...(etcd.clusterId !== undefined && { clusterId: etcd.clusterId }),
    ...(stats !== undefined && { watchers: stats.watchers }),
  };
}

async function statusAt(endpoint: string, { api }: V3Store, signal: AbortSignal) {
  const call: V3Call = {
    ...{ operation: "status", key: "/", safety: "read", scope: "local", endpoint, signal },
  };
  const { message, header } = await api.call(RPC.status, {}, call);
  const { version, dbSize, dbSizeInUse, errors } = message;
  const alarms = errors.flatMap((text) => ALARM.exec(text)?.[1] ?? []);
  return { memberId: toHexId(header.member_id), version, dbSize, dbSizeInUse, alarms };
}

/** Only the member behind an endpoint knows its version, so that one is asked alone. */
async function versionAt(endpoint: string, options: EtcdClientOptions, signal: AbortSignal) {
  if (options.keySpace !== undefined) return {};
  const { endpoints: _e, discoverySrv: _d, ...rest } = options;
  await using client = new EtcdClient({ ...rest, urls: [endpoint] });
  return { version: (await client.version({ signal })).etcdserver };
}
