import type { SelfStats, StoreStats, Version } from "../../model/cluster.js";
import { logFamilies } from "./log-counters.js";
import { type MetricFamily, metric } from "./prometheus-text.js";

/** Counters of a store under etcd's names. Refused reads count too, as in etcd. */
export function storeFamilies(stats: StoreStats): readonly MetricFamily[] {
  return [
    {
      name: "etcd_debugging_store_reads_total",
      type: "counter",
      help: "Reads, successful or refused.",
      samples: [{ labels: { action: "get" }, value: stats.getsSuccess + stats.getsFail }],
    },
    {
      name: "etcd_debugging_store_writes_total",
      type: "counter",
      help: "Writes, successful or refused, by action.",
      samples: Object.entries(writesIn(stats)).map(([action, value]) => ({
        labels: { action },
        value,
      })),
    },
    metric(
      "etcd_debugging_store_expires_total",
      "counter",
      "Keys that expired.",
      stats.expireCount,
    ),
    metric("etcd_debugging_store_watchers", "gauge", "Open watches.", stats.watchers),
  ];
}

/** State of a member and its leader, under etcd's names. */
export function serverFamilies(self: SelfStats, version: Version): readonly MetricFamily[] {
  const { leader } = self.leaderInfo;
  const { etcdserver: server_version } = version;
  return [
    metric(
      "etcd_server_has_leader",
      "gauge",
      "1 if there is a leader, else 0.",
      Number(leader !== ""),
    ),
    metric(
      "etcd_server_is_leader",
      "gauge",
      "1 if this is the leader, else 0.",
      Number(leader === self.id),
    ),
    metric(
      "etcd_server_version",
      "gauge",
      "Always 1; the label is the etcd release that this server imitates.",
      1,
      { server_version },
    ),
  ];
}

/** The log and the resources of this process; the latter under the standard names of Prometheus' libraries. */
export function processFamilies(now: number): readonly MetricFamily[] {
  const { user, system } = process.cpuUsage();
  const start = now / 1000 - process.uptime();
  const memory = process.memoryUsage.rss();
  return [
    ...logFamilies(),
    metric(
      "process_cpu_seconds_total",
      "counter",
      "Time spent in user and system mode, in seconds.",
      (user + system) / 1e6,
    ),
    metric("process_resident_memory_bytes", "gauge", "Resident memory, in bytes.", memory),
    metric(
      "process_start_time_seconds",
      "gauge",
      "Start time of the process, in seconds since 1970.",
      start,
    ),
  ];
}

function writesIn(stats: StoreStats): Readonly<Record<string, number>> {
  return {
    compareAndDelete: stats.compareAndDeleteSuccess + stats.compareAndDeleteFail,
    compareAndSwap: stats.compareAndSwapSuccess + stats.compareAndSwapFail,
    create: stats.createSuccess + stats.createFail,
    delete: stats.deleteSuccess + stats.deleteFail,
    set: stats.setsSuccess + stats.setsFail,
    update: stats.updateSuccess + stats.updateFail,
  };
}
