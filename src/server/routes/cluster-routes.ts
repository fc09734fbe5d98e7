import type { ClusterApi } from "../../key-space/cluster-api.js";
import { goJson } from "../../wire/go-json.js";
import type { ClientUrls } from "../http/client-urls.js";
import {
  JSON_TYPE,
  plainError,
  type ServerReply,
  type ServerRequest,
  TEXT_TYPE,
} from "../http/message.js";
import type { Handler, Route } from "../http/router.js";
import { logLevelRoute } from "./log-level-route.js";

/** Serves machines, stats, version and health, without credentials. */
export function clusterRoutes(api: ClusterApi, clientUrls: ClientUrls): readonly Route[] {
  const { stats } = api;
  const machines = async (request: ServerRequest): Promise<ServerReply> =>
    textReply((clientUrls(request) ?? (await api.machines())).join(", "));
  return [
    get("/v2/machines", machines, ["GET", "HEAD"]),
    get("/v2/stats/self", async () => jsonReply(await stats.self())),
    get("/v2/stats/store", async () => jsonReply(await stats.store())),
    get("/v2/stats/leader", async () => jsonReply(await stats.leader())),
    get("/version", async () => jsonReply(await api.version())),
    get("/health", () => health(api)),
    logLevelRoute,
  ];
}

function get(path: string, handler: Handler, methods: readonly string[] = ["GET"]): Route {
  return { path, errors: "message", handlers: new Map(methods.map((each) => [each, handler])) };
}

/** Healthy if one endpoint can serve. A load balancer must not wait for an endpoint that hangs. */
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
