import type { EventEmitter } from "node:events";
import { inspect } from "node:util";

/**
 * Calls every listener of an event, even if others fail. If one throws, or its promise rejects, the
 * listeners of `error` get the error; see {@link emitError}.
 */
export function emitSafely(emitter: EventEmitter, event: string, payload: unknown): void {
  const report = (thrown: unknown): void => emitError(emitter, thrown);
  callAll(emitter, emitter.rawListeners(event), payload, report);
}

/**
 * Calls the listeners of `error`. If there are none, or one of them throws, emits a process warning
 * instead: a value in etcd must not end every process that watches it.
 */
export function emitError(emitter: EventEmitter, error: unknown): void {
  const listeners = emitter.rawListeners("error");
  if (listeners.length === 0) warn(error);
  else callAll(emitter, listeners, errorOf(error), warn);
}

function callAll(
  emitter: EventEmitter,
  listeners: ReturnType<EventEmitter["rawListeners"]>,
  payload: unknown,
  report: (thrown: unknown) => void,
): void {
  for (const listener of listeners) {
    try {
      const result: unknown = Reflect.apply(listener, emitter, [payload]);
      if (result instanceof Promise) result.catch(report);
    } catch (thrown) {
      report(thrown);
    }
  }
}

function warn(error: unknown): void {
  process.emitWarning(errorOf(error));
}

function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(`thrown: ${inspect(thrown)}`);
}
