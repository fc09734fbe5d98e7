import type { MemoryBudget } from "./memory-budget.js";
import { plainError, type ServerReply, type ServerRequest, type V2Handler } from "./message.js";
import { RequestTrace } from "./request-trace.js";
import { type ReplyTarget, sendReply } from "./send-reply.js";

/** Serves a request with a handler. `send` sends another response than the handler's, if it must. */
export function serveWith(
  handler: V2Handler,
  request: ServerRequest,
  response: ReplyTarget,
  budget: MemoryBudget,
  send = (reply: ServerReply) => sendReply(reply, response, budget),
): void {
  const trace = RequestTrace.of(request, response);
  const onReply = (reply: ServerReply): Promise<void> | undefined => {
    trace?.begins();
    return send(reply);
  };
  handler(request)
    .then(onReply, () => onReply(plainError(500, "Internal Server Error")))
    .catch(() => response.destroy());
}
