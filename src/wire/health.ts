import type { EndpointHealth } from "../model/cluster.js";
import type { HttpResponse } from "./http.js";
import { isObject } from "./json.js";

/** Reads a response of `/health`. The status is 200 or 503. */
export function readHealth({ endpoint, status, body }: HttpResponse): EndpointHealth {
  try {
    const value: unknown = JSON.parse(body);
    if (isObject(value) && typeof value.health === "string") {
      const { health, reason } = value;
      const healthy = health === "true";
      return typeof reason === "string" && reason !== ""
        ? { endpoint, healthy, reason }
        : { endpoint, healthy };
    }
  } catch {
    // Not etcd's JSON: reported below.
  }
  return { endpoint, healthy: false, reason: `HTTP ${status}, not a response of etcd` };
}
