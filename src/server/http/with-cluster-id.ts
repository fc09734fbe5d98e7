import { type ErrorFormat, refusalOf } from "./error-reply.js";
import type { ServerReply } from "./message.js";
import type { Handler } from "./router.js";

/** Adds `X-Etcd-Cluster-Id` to the responses of a handler that lack it, refusals included. */
export function withClusterId(
  clusterId: () => Promise<string>,
  errors: ErrorFormat,
  handler: Handler,
): Handler {
  return async (...request) => {
    let reply: ServerReply;
    try {
      reply = await handler(...request);
    } catch (error) {
      const refusal = refusalOf(error, errors);
      if (refusal === undefined) throw error;
      reply = refusal;
    }
    if (reply.headers.includes("X-Etcd-Cluster-Id")) return reply;
    return { ...reply, headers: [...reply.headers, "X-Etcd-Cluster-Id", await clusterId()] };
  };
}
