/**
 * Calls a function whose errors become responses: nobody sees where they were created, and to find that out takes as long as
 * the rest of the response. It concerns errors that are created before the function first waits.
 */
export function withoutStack<T>(call: () => T): T {
  const { stackTraceLimit } = Error;
  // It cannot be set where built-in objects are frozen.
  if (!Reflect.set(Error, "stackTraceLimit", 0)) return call();
  try {
    return call();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
