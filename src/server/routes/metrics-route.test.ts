import { expect, it } from "vitest";
import { ClusterUnavailableError } from "../../errors/cluster-errors.js";
import type { ClusterApi } from "../../key-space/cluster-api.js";
import { MemoryClusterApi } from "../../key-space/memory/memory-cluster-api.js";
import { MemoryKeySpace } from "../../key-space/memory/memory-key-space.js";
import { Router } from "../http/router.js";
import { prometheusText } from "../metrics/prometheus-text.js";
import { RequestMetrics } from "../metrics/request-metrics.js";
import { metricsRoute } from "./metrics-route.js";

async function textOf(api: ClusterApi, requests = new RequestMetrics()): Promise<string> {
  const request = { method: "GET", target: "/metrics", headers: {}, body: async () => "" };
  const { signal } = new AbortController();
  const router = new Router([metricsRoute(api, { requests })]);
  const { status, body } = await router.serve({ ...request, signal }, "/metrics", "");
  expect(status).toBe(200);
  return String(body);
}

it("contains the counters of the store", async () => {
  const keySpace = new MemoryKeySpace();
  await keySpace.execute({ action: "set", key: "/a", value: "1" });
  await keySpace.execute({ action: "get", key: "/b" }).catch(() => undefined);
  await keySpace.openWatch({ key: "/a" });
  const text = await textOf(new MemoryClusterApi(keySpace));
  expect(text).toContain('etcd_debugging_store_reads_total{action="get"} 1\n');
  expect(text).toContain('etcd_debugging_store_writes_total{action="set"} 1\n');
  expect(text).toContain("etcd_debugging_store_watchers 1\n");
  expect(text).toContain('etcd_server_version{server_version="3.4.23"} 1\n');
  expect(text).toContain("etcd_server_is_leader 1\n");
});

it("contains the results of requests", async () => {
  const requests = new RequestMetrics();
  requests.countWatch();
  requests.countReceived("QGET");
  requests.countReceived("QGET");
  requests.countFailure("QGET", 404);
  requests.countSuccess("QGET", 0.001);
  requests.countSuccess("QGET", 3);
  const text = await textOf(new MemoryClusterApi(new MemoryKeySpace()), requests);
  const family = "etcd_http_successful_duration_seconds";
  expect(text).toContain("etcd_debugging_store_watch_requests_total 1\n");
  expect(text).toContain('etcd_http_received_total{method="QGET"} 2\n');
  expect(text).toContain('etcd_http_failed_total{code="404",method="QGET"} 1\n');
  expect(text).toContain(`${family}_bucket{method="QGET",le="0.0005"} 0\n`);
  expect(text).toContain(`${family}_bucket{method="QGET",le="0.001"} 1\n`);
  expect(text).toContain(`${family}_bucket{method="QGET",le="2.048"} 1\n`);
  expect(text).toContain(`${family}_bucket{method="QGET",le="+Inf"} 2\n`);
  expect(text).toContain(`${family}_sum{method="QGET"} 3.001\n`);
  expect(text).toContain(`${family}_count{method="QGET"} 2\n`);
});

it("omits metrics that the cluster does not provide", async () => {
  const api = new MemoryClusterApi(new MemoryKeySpace());
  const silent = () => Promise.reject(new ClusterUnavailableError("GET /v2/stats", []));
  Object.assign(api.stats, { store: silent, self: silent });
  const text = await textOf(api);
  expect(text).not.toContain("etcd_server");
  expect(text).not.toContain("etcd_debugging_store_reads");
  expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
});

it("escapes the values of labels", () => {
  const labels = { a: '1"2\\3\n4' };
  const family = { name: "x", type: "gauge", help: "X.", samples: [{ value: 1, labels }] } as const;
  expect(prometheusText([family])).toBe('# HELP x X.\n# TYPE x gauge\nx{a="1\\"2\\\\3\\n4"} 1\n');
});
