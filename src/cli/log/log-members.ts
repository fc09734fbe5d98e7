import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { FailoverTrace, RequestTrace } from "../../diagnostics/channels.js";
import type { ServerStateTrace } from "../../diagnostics/server-channels.js";
import { adviceOn, causeText } from "../../errors/cause-text.js";
import { messageOf } from "../../errors/hint.js";
import { isEtcdError } from "../../errors/is-etcd-error.js";
import type { Clock } from "../../time/clock.js";
import { AttemptFailure } from "../../wire/attempt-failure.js";
import { flagNames } from "../process/flag-names.js";
import type { Logger } from "./logger.js";

const ENDS = "tracing:etcdnet:request:asyncEnd";
/** Time without a failure after which a response is reported as a recovery. */
const RECOVERY_DELAY_MS = 1_000;
/** Checks without a response after which a member counts as hung. A busy member can miss one. */
const HUNG_CHECKS = 2;

/** Logs which members fail, hang and recover, and elections: one line for each change, not for each request. */
export function logMembers(clock: Clock, log: Logger): void {
  const failedAt = new Map<string, number>();
  const silent = new Map<string, number>();
  let newestTerm: number | undefined;

  const onRecovered = (endpoint: string): void => {
    silent.delete(endpoint);
    if (failedAt.delete(endpoint)) log.info("member has recovered", { endpoint });
    // Tracing each request has a cost, so it stops while no member fails.
    if (failedAt.size === 0) unsubscribe(ENDS, onEnd);
  };
  const onEnd = (message: unknown): void => {
    const { endpoint, error } = message as RequestTrace & { readonly error?: unknown };
    if (endpoint === undefined || error !== undefined) return;
    const at = failedAt.get(endpoint);
    if (at !== undefined && clock.monotonic() - at >= RECOVERY_DELAY_MS) onRecovered(endpoint);
  };
  const onFailed = (endpoint: string, message: string, cause?: Error): void => {
    if (failedAt.size === 0) subscribe(ENDS, onEnd);
    if (!failedAt.has(endpoint)) {
      log.warn(message, { endpoint, cause: cause && reasonOf(cause) });
    }
    failedAt.set(endpoint, clock.monotonic());
  };

  const onTerm = (term: number): void => {
    const before = newestTerm ?? term;
    newestTerm = Math.max(before, term);
    if (term > before) log.info("a leader was elected", { term });
  };

  subscribe("etcdnet:failover", (message) => {
    const { operation, endpoint, cause } = message as FailoverTrace;
    onFailed(endpoint, "member failed", cause);
    log.debug("request failed at a member", { endpoint, operation, cause: reasonOf(cause) });
  });
  subscribe("etcdnet:server-state", (message) => {
    const state = message as ServerStateTrace;
    if (state.kind !== "member") return;
    const { endpoint, error, raftTerm } = state;
    if (raftTerm !== undefined) onTerm(raftTerm);
    if (error === undefined) onRecovered(endpoint);
    else if (!isEtcdError(error, "Abort")) {
      onFailed(endpoint, "member failed", error instanceof AttemptFailure ? error.cause : error);
    } else {
      const checks = (silent.get(endpoint) ?? 0) + 1;
      silent.set(endpoint, checks);
      if (checks >= HUNG_CHECKS) onFailed(endpoint, "member does not respond");
    }
  });
}

/** Why a member failed, and which option of the gateway would help. */
function reasonOf(cause: Error): string {
  const { option, hint } = adviceOn([cause]);
  return messageOf(causeText(cause), option === undefined ? undefined : hint, flagNames());
}
