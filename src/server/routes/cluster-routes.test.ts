import { expect, it } from "vitest";
import { AdminError } from "../../errors/admin-error.js";
import { ClusterUnavailableError } from "../../errors/cluster-errors.js";
import type { ClusterApi } from "../../key-space/cluster-api.js";
import { MemoryClusterApi } from "../../key-space/memory/memory-cluster-api.js";
import { MemoryKeySpace } from "../../key-space/memory/memory-key-space.js";
import type { ServerReply } from "../http/message.js";
import { Router } from "../http/router.js";
import { clusterRoutes } from "./cluster-routes.js";

const clientURLs = ["http://b:1", "http://a:1"];
const memory = new MemoryClusterApi(new MemoryKeySpace(), { id: "f00", clientURLs });

function get(
  path: string,
  api: Partial<ClusterApi> = {},
  urls?: readonly string[],
): Promise<ServerReply> {
  const { members, stats } = memory;
  const served: ClusterApi = {
    members,
    stats,
    machines: () => memory.machines(),
    version: () => memory.version(),
    health: () => memory.health(),
    isHealthy: () => memory.isHealthy(),
    ...api,
  };
  const router = new Router(clusterRoutes(served, () => urls));
  const request = { method: "GET", target: path, headers: {}, body: async () => "" };
  return router.serve({ ...request, signal: new AbortController().signal }, path, "");
}

it("lists the machines in a line", async () => {
  expect(await get("/v2/machines")).toMatchObject({ body: "http://a:1, http://b:1" });
});

it("lists the advertised URLs instead, even if the cluster does not respond", async () => {
  const machines = () => Promise.reject(new ClusterUnavailableError("GET /v2/machines", []));
  const urls = ["http://c:1", "http://d:1"];
  expect(await get("/v2/machines", { machines }, urls)).toMatchObject({
    body: "http://c:1, http://d:1",
  });
});

it("is healthy while one endpoint is", async () => {
  expect(await get("/health", { isHealthy: async () => true })).toMatchObject({
    status: 200,
    body: '{"health":"true"}',
  });
  expect(await get("/health", { isHealthy: async () => false })).toMatchObject({
    status: 503,
    headers: ["Content-Type", "text/plain; charset=utf-8", "X-Content-Type-Options", "nosniff"],
    body: '{"health":"false"}\n',
  });
});

it("returns the reason for missing statistics", async () => {
  const refusal = new AdminError("GET /v2/stats/leader", "http://a:1", 403, "not current leader");
  const stats = { ...memory.stats, leader: () => Promise.reject(refusal) };
  expect(await get("/v2/stats/leader", { stats })).toMatchObject({
    status: 403,
    body: '{"message":"not current leader"}',
  });
});

it("responds like etcd if the cluster does not respond", async () => {
  const version = () => Promise.reject(new ClusterUnavailableError("GET /version", []));
  expect(await get("/version", { version })).toMatchObject({
    status: 500,
    body: '{"message":"Internal Server Error"}',
  });
});
