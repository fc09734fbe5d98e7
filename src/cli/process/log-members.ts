import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { FailoverTrace, RequestTrace } from "../../diagnostics/channels.js";
import { adviceOn, causeText } from "../../errors/cause-text.js";
import { messageOf } from "../../errors/hint.js";
import type { Clock } from "../../time/clock.js";
import { flagNames } from "./flag-names.js";

const FAILURES = "etcdnet:failover";
const ENDS = "tracing:etcdnet:request:asyncEnd";
/** Time without a failure after which a response is reported as a recovery. */
const RECOVERY_DELAY_MS = 1_000;
/** Time without a failure after which the next failure is reported again. */
const REPEAT_DELAY_MS = 60_000;

/** Logs which members fail and recover: one line for each failure and recovery, not for each request. */
export function logMembers(clock: Clock, print: (line: string) => void): void {
  const failedAt = new Map<string, number>();
  const msSinceFailure = (endpoint: string): number =>
    clock.monotonic() - (failedAt.get(endpoint) ?? Number.NEGATIVE_INFINITY);

  const onEnd = (message: unknown): void => {
    const { endpoint, error } = message as RequestTrace & { readonly error?: unknown };
    if (endpoint === undefined || error !== undefined) return;
    if (!failedAt.has(endpoint) || msSinceFailure(endpoint) < RECOVERY_DELAY_MS) return;
    failedAt.delete(endpoint);
    print(`${endpoint} has recovered`);
    // Tracing each request has a cost, so it stops while no member fails.
    if (failedAt.size === 0) unsubscribe(ENDS, onEnd);
  };

  subscribe(FAILURES, (message) => {
    const { endpoint, cause } = message as FailoverTrace;
    if (failedAt.size === 0) subscribe(ENDS, onEnd);
    if (msSinceFailure(endpoint) >= REPEAT_DELAY_MS)
      print(`${endpoint} failed: ${reasonOf(cause)}`);
    failedAt.set(endpoint, clock.monotonic());
  });
}

/** Why a member failed, and which option of the gateway would help. */
function reasonOf(cause: Error): string {
  const { option, hint } = adviceOn([cause]);
  return messageOf(causeText(cause), option === undefined ? undefined : hint, flagNames());
}
