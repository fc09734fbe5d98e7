// @ts-check
/** A gateway on the hostile server must respond to every request, with any status. */
import assert from "node:assert/strict";
import { LIMIT_MS } from "./call-context.mjs";

/** @typedef {import("./call-context.mjs").Context} Context */

/** Requests to a gateway in front of the server. */
const GATEWAY_REQUESTS = /** @type {const} */ ([
  ["GET", "/v2/keys/a?quorum=true"],
  ["PUT", "/v2/keys/a?value=1&ttl=60"],
  ["POST", "/v2/keys/o?value=1"],
  ["DELETE", "/v2/keys/e?recursive=true"],
  ["GET", "/v2/keys/?recursive=true&sorted=true"],
  ["GET", "/v2/keys/d?wait=true&waitIndex=3&recursive=true"],
  ["GET", "/v2/members"],
  ["GET", "/v2/machines"],
  ["GET", "/v2/stats/self"],
  ["GET", "/v2/auth/enable"],
  ["GET", "/version"],
  ["GET", "/health"],
  ["GET", "/metrics"],
]);
/** Milliseconds: many times the timeout of a call. */
const GATEWAY_LIMIT_MS = 10_000;

/** Only the v3 API has them. @type {Record<string, (context: Context) => Promise<unknown>>} */
export const GATEWAY_CALLS = {
  "serve a gateway": async ({ options, server }) => {
    const { api: _, ...etcd } = options;
    const gateway = await server.createGateway({ etcd, limits: { closeTimeout: 100 } });
    try {
      for (const [method, path] of GATEWAY_REQUESTS) {
        const isWatch = path.includes("wait=true");
        const limit = AbortSignal.timeout(isWatch ? LIMIT_MS : GATEWAY_LIMIT_MS);
        const status = await fetch(gateway.url + path, { method, signal: limit }).then(
          async (response) => {
            await response.text();
            return response.status;
          },
          (error) => {
            if (isWatch) return 200;
            throw error;
          },
        );
        assert.ok(status >= 200 && status < 600, `${method} ${path}: ${status}`);
      }
    } finally {
      await gateway.close();
    }
  },
};
