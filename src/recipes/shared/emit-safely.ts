import type { EventEmitter } from "node:events";
import { inspect } from "node:util";

/**
 * Calls every listener of an event, whatever the others do. What one throws, or its promise rejects
 * with, goes to the listeners of `error`; {@link emitError} says what becomes of it without any.
 */
export function emitSafely(emitter: EventEmitter, event: string, what: unknown): void {
  const report = (thrown: unknown): void => emitError(emitter, thrown);
  callAll(emitter, emitter.rawListeners(event), what, report);
}

/**
 * Tells the listeners of `error`. Without any, and when one of them throws, the error is a warning of
 * the process: a value that somebody wrote to etcd must not end every process that follows it.
 */
export function emitError(emitter: EventEmitter, error: unknown): void {
  const listeners = emitter.rawListeners("error");
  if (listeners.length === 0) warn(error);
  else callAll(emitter, listeners, errorOf(error), warn);
}

function callAll(
  emitter: EventEmitter,
  listeners: ReturnType<EventEmitter["rawListeners"]>,
  what: unknown,
  report: (thrown: unknown) => void,
): void {
  for (const listener of listeners) {
    try {
      const result: unknown = Reflect.apply(listener, emitter, [what]);
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
