import type { SelfStats, StoreStats, Version } from "../../model/cluster.js";
import type { MetricFamily } from "./prometheus-text.js";

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
    {
      name: "etcd_debugging_store_expires_total",
      type: "counter",
      help: "Keys that expired.",
      samples: [{ value: stats.expireCount }],
    },
    gauge("etcd_debugging_store_watchers", "Open watches.", stats.watchers),
  ];
}

/** State of a member and its leader, under etcd's names. */
export function serverFamilies(self: SelfStats, version: Version): readonly MetricFamily[] {
  const { leader } = self.leaderInfo;
  const { etcdserver: server_version } = version;
  return [
    gauge("etcd_server_has_leader", "1 if there is a leader, else 0.", Number(leader !== "")),
    gauge("etcd_server_is_leader", "1 if this is the leader, else 0.", Number(leader === self.id)),
    gauge(
      "etcd_server_version",
      "Always 1; the label is the etcd release that this server imitates.",
      1,
      { server_version },
    ),
  ];
}

/** Resources of this process, under the standard names of Prometheus' libraries. */
export function processFamilies(now: number): readonly MetricFamily[] {
  const { user, system } = process.cpuUsage();
  const start = now / 1000 - process.uptime();
  const memory = process.memoryUsage.rss();
  return [
    {
      name: "process_cpu_seconds_total",
      type: "counter",
      help: "Time spent in user and system mode, in seconds.",
      samples: [{ value: (user + system) / 1e6 }],
    },
    gauge("process_resident_memory_bytes", "Resident memory, in bytes.", memory),
    gauge("process_start_time_seconds", "Start time of the process, in seconds since 1970.", start),
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

function gauge(
  name: string,
  help: string,
  value: number,
  labels: Readonly<Record<string, string>> = {},
): MetricFamily {
  return { name, type: "gauge", help, samples: [{ value, labels }] };
}
