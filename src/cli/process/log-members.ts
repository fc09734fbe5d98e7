import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { FailoverTrace, RequestTrace } from "../../cluster/exchange/tracing.js";
import { causeText } from "../../errors/cause-text.js";
import type { Clock } from "../../time/clock.js";

const FAILURES = "etcdnet:failover";
const ENDS = "tracing:etcdnet:request:asyncEnd";
/** Milliseconds without a failure after which an answer is news: others may be failing right now. */
const CALM = 1_000;
/** Milliseconds without a failure after which the next one is news, though nobody asked meanwhile. */
const FORGOTTEN = 60_000;

/** Tells which members fail and which answer again: a line each, however many requests find out. */
export function logMembers(clock: Clock, print: (line: string) => void): void {
  const failedAt = new Map<string, number>();
  const calmFor = (endpoint: string): number =>
    clock.monotonic() - (failedAt.get(endpoint) ?? Number.NEGATIVE_INFINITY);

  const onEnd = (message: unknown): void => {
    const { endpoint, error } = message as RequestTrace & { readonly error?: unknown };
    if (endpoint === undefined || error !== undefined) return;
    if (!failedAt.has(endpoint) || calmFor(endpoint) < CALM) return;
    failedAt.delete(endpoint);
    print(`${endpoint} answers again`);
    // Being told of each request has a cost, which a gateway in good health is spared.
    if (failedAt.size === 0) unsubscribe(ENDS, onEnd);
  };

  subscribe(FAILURES, (message) => {
    const { endpoint, cause } = message as FailoverTrace;
    if (failedAt.size === 0) subscribe(ENDS, onEnd);
    if (calmFor(endpoint) >= FORGOTTEN) print(`${endpoint} failed: ${causeText(cause)}`);
    failedAt.set(endpoint, clock.monotonic());
  });
}
