import { subscribe } from "node:diagnostics_channel";
import type { ServerRequestTrace, ServerStateTrace } from "../../diagnostics/server-channels.js";
import type { DamagedRecordError } from "../../errors/v3-errors.js";
import { logCounters } from "../../server/metrics/log-counters.js";
import { systemClock } from "../../time/clock.js";
import { logMembers } from "./log-members.js";
import type { Logger } from "./logger.js";

interface LoggedRequests {
  /** Whether every request is logged. */
  readonly access: boolean;
  /** Milliseconds until a response begins, from which on the request is slow; 0: none is. */
  readonly slow: number;
}

/** Logs what the servers and key spaces of this process publish. */
export function logEvents(log: Logger, requests: LoggedRequests): void {
  logMembers(systemClock, log);
  subscribe("etcdnet:damage", (message) => {
    const { key, message: problem } = message as DamagedRecordError;
    log.error("a record in etcd cannot be read", { key, problem });
  });
  subscribe("etcdnet:server-state", (message) => logState(log, message as ServerStateTrace));
  if (requests.access || requests.slow > 0) {
    subscribe("etcdnet:server-request", (message) =>
      logRequest(log, requests, message as ServerRequestTrace),
    );
  }
}

function logState(log: Logger, state: ServerStateTrace): void {
  if (state.kind === "auth") log.info(`v2 auth is ${state.enabled ? "on" : "off"}`);
  if (state.kind === "ready") {
    if (state.problem === undefined) log.info("ready");
    else log.warn("not ready", { reason: state.problem });
  }
  if (state.kind === "cutover") {
    const cause = state.cause?.message;
    if (state.event === "lost") log.warn("cut-over: the registration cannot be renewed", { cause });
    else if (state.event === "late-change")
      log.error("cut-over: v2 was changed after its end", { cause });
    else log.info(`cut-over: ${state.event}`);
  }
  if (state.kind === "watch") {
    const { keyPrefix, cause } = state;
    const fields = { keyPrefix, cause: cause?.message };
    if (state.event === "lost") log.warn("the watch on etcd was lost", fields);
    else if (state.event === "restored") log.info("the watch on etcd was restored", fields);
    else log.warn("the watch on etcd ended: clients must open their watches again", fields);
  }
}

function logRequest(log: Logger, { access, slow }: LoggedRequests, request: ServerRequestTrace) {
  const isSlow = slow > 0 && request.begunAfter >= slow;
  if (isSlow) logCounters.slowRequests++;
  const { method, path, parameters, status, bytes, address, user, userAgent, complete } = request;
  const duration = Math.round(request.duration);
  const shown = {
    method,
    path,
    parameters: parameters.length > 0 ? parameters : undefined,
    status,
  };
  if (access) {
    const rest = { bytes, duration, address, user, userAgent, complete };
    log.access("request", { ...shown, ...rest });
  }
  if (isSlow) {
    const begunAfter = Math.round(request.begunAfter);
    log.warn("slow request", { ...shown, begunAfter, duration, address, user });
  }
}
