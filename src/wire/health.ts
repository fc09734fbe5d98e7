import type { EndpointHealth } from "../model/cluster.js";
import type { HttpReply } from "./http.js";
import { isObject } from "./json.js";

/** What `/health` says; it does so with status 200 and 503 alike. */
export function readHealth({ endpoint, status, body }: HttpReply): EndpointHealth {
  try {
    const answer: unknown = JSON.parse(body);
    if (isObject(answer) && typeof answer.health === "string") {
      const { health, reason } = answer;
      const healthy = health === "true";
      return typeof reason === "string" && reason !== ""
        ? { endpoint, healthy, reason }
        : { endpoint, healthy };
    }
  } catch {
    // Not etcd's JSON: said below.
  }
  return { endpoint, healthy: false, reason: `HTTP ${status}, not an answer of etcd's` };
}
