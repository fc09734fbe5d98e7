import { AbortError } from "../../errors/abort-error.js";
import { notCompleted } from "../../errors/cluster-errors.js";
import { linkSignals } from "../../time/link-signals.js";
import { withTimeout } from "../../time/with-timeout.js";
import type { HttpRequest } from "../../wire/http.js";
import type { ClusterSettings } from "./cluster-settings.js";

/**
 * Waits until the endpoints are known, at most for the timeout of a call, and until `signal` or
 * `closing` aborts.
 *
 * @throws TimeoutError, AbortError, and the error of the discovery
 */
export function waitForEndpoints(
  ready: Promise<void>,
  { operation, safety }: HttpRequest,
  { timeout, clock }: ClusterSettings,
  signal: AbortSignal | undefined,
  closing: AbortSignal,
): Promise<void> {
  const linked = linkSignals(signal, closing);
  const outcome = safety === "read" ? "none" : "not-sent";
  return withTimeout(ready, {
    milliseconds: timeout,
    clock,
    signal: linked.signal,
    onTimeout: () => notCompleted(operation, timeout),
    onAbort: (reason) => new AbortError(operation, reason, outcome),
  }).finally(() => linked.unlink());
}
