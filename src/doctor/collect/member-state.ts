import type { Cluster } from "../../cluster/cluster.js";
import { toHexId } from "../../etcd3/hex-id.js";
import { RPC } from "../../etcd3/rpcs.js";
import type { V3Api } from "../../etcd3/v3-api.js";
import { adminGet } from "../../wire/admin-request.js";
import { decodeAdminResponse, isVersion } from "../../wire/admin-response.js";
import { type Checked, checked, isChecked } from "../checked.js";
import type { EndpointFacts, MemberState } from "../cluster-facts.js";
import { compareMinors, minorOf } from "../version-steps.js";

/** Release of the last etcd with the v2 API. */
const LAST_WITH_V2 = "3.5";
/** An alarm in a status: `memberID:1234 alarm:NOSPACE`. */
const ALARM = /alarm:([A-Z]+)/;

/** Asks one endpoint for its state. No request changes the member or its log. */
export async function memberStateAt(
  url: string,
  { cluster, api }: { readonly cluster: Cluster; readonly api: V3Api },
): Promise<EndpointFacts> {
  const [status, agreed, metrics, servesV2] = await Promise.all([
    checked(statusOf(url, api)),
    checked(clusterVersionOf(url, cluster)),
    checked(metricsOf(url, cluster)),
    checked(servesV2At(url, cluster)),
  ]);
  if (!isChecked(status)) return { url, state: status };
  const { version, quota, ...rest } = status.value;
  const state: MemberState = {
    ...rest,
    version,
    clusterVersion: agreed,
    quota: quota > 0 ? { value: quota } : metricIn(metrics, QUOTA),
    compactRevision: metricIn(metrics, COMPACTED),
    servesV2: isWithoutV2(version) ? { value: false } : servesV2,
  };
  return { url, state: { value: state } };
}

async function statusOf(url: string, api: V3Api) {
  const call = { operation: "status", key: "/", safety: "read", scope: "local" } as const;
  const { message, header } = await api.call(RPC.status, {}, { ...call, endpoint: url });
  return {
    id: toHexId(header.member_id),
    clusterId: toHexId(header.cluster_id),
    version: message.version,
    hasLeader: message.leader !== "0",
    alarms: message.errors.flatMap((text) => ALARM.exec(text)?.[1] ?? []),
    dbSize: message.dbSize,
    dbSizeInUse: message.dbSizeInUse,
    quota: message.dbSizeQuota,
    revision: header.revision,
  };
}

function isWithoutV2(version: string): boolean {
  const minor = minorOf(version);
  return minor !== undefined && compareMinors(minor, LAST_WITH_V2) > 0;
}

async function clusterVersionOf(url: string, cluster: Cluster): Promise<string> {
  const request = adminGet("/version");
  const { etcdcluster } = await cluster.probe(
    url,
    request,
    (response) => decodeAdminResponse(request, response, isVersion),
    undefined,
  );
  return etcdcluster;
}

/** A path that only the v2 API has, and that shows no keys. */
const V2_PATH = "/v2/stats/store";

async function servesV2At(url: string, cluster: Cluster): Promise<boolean> {
  const status = await cluster.probe(url, adminGet(V2_PATH), ({ status }) => status, undefined);
  if (status === 200) return true;
  if (status === 404) return false;
  throw new Error(`GET ${V2_PATH} at ${url}: HTTP ${status}`);
}

const QUOTA = "etcd_server_quota_backend_bytes";
const COMPACTED = "etcd_debugging_mvcc_compact_revision";

function metricsOf(url: string, cluster: Cluster): Promise<string> {
  return cluster.probe(url, adminGet("/metrics"), ({ body }) => body, undefined);
}

/** The value of a metric in Prometheus' text format. */
function metricIn(metrics: Checked<string>, name: string): Checked<number> {
  if (!isChecked(metrics)) return metrics;
  const line = metrics.value.split("\n").find((text) => text.startsWith(`${name} `));
  const value = Number(line?.slice(name.length + 1));
  return Number.isFinite(value) ? { value } : { unchecked: `/metrics has no ${name}` };
}
