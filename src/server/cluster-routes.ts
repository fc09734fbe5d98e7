import type { ClusterApi } from "../key-space/cluster-api.js";
import { goJson } from "../wire/go-json.js";
import { logLevelRoute } from "./log-level-route.js";
import { JSON_TYPE, plainError, type ServerReply, TEXT_TYPE } from "./message.js";
import { messageErrorOf } from "./request-error.js";
import type { Route } from "./router.js";

/** Serves what a cluster tells of itself, to anybody: machines, stats, version and health. */
export function clusterRoutes(api: ClusterApi): readonly Route[] {
  const { stats } = api;
  return [
    get("/v2/machines", async () => textReply((await api.machines()).join(", ")), "GET,HEAD"),
    get("/v2/stats/self", async () => jsonReply(await stats.self())),
    get("/v2/stats/store", async () => jsonReply(await stats.store())),
    get("/v2/stats/leader", async () => jsonReply(await stats.leader())),
    get("/version", async () => jsonReply(await api.version())),
    get("/health", () => health(api)),
    logLevelRoute,
  ];
}

function get(path: string, answer: () => Promise<ServerReply>, methods = "GET"): Route {
  return { path, methods, serve: () => answer().catch(messageErrorOf) };
}

/** One endpoint that can serve is enough, and who balances load does not wait for one that hangs. */
async function health(api: ClusterApi): Promise<ServerReply> {
  const healthy = await api.isHealthy();
  const body = goJson({ health: String(healthy) });
  return healthy ? textReply(body) : plainError(503, body);
}

function textReply(body: string): ServerReply {
  return { status: 200, headers: ["Content-Type", TEXT_TYPE], body };
}

function jsonReply(content: object): ServerReply {
  return { status: 200, headers: ["Content-Type", JSON_TYPE], body: goJson(content) };
}
