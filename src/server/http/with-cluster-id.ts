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
    const reply = await served(handler, errors, request);
    if (reply.headers.includes("X-Etcd-Cluster-Id")) return reply;
    return { ...reply, headers: [...reply.headers, "X-Etcd-Cluster-Id", await clusterId()] };
  };
}

async function served(
  handler: Handler,
  errors: ErrorFormat,
  request: Parameters<Handler>,
): Promise<ServerReply> {
  try {
    return await handler(...request);
  } catch (error) {
    const refusal = refusalOf(error, errors);
    if (refusal === undefined) throw error;
    return refusal;
  }
}
