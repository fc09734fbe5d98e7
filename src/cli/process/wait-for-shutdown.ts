/**
 * Resolves when the process is told to end. A second signal finds no listener, and ends the process
 * as signals do.
 */
export function waitForShutdown(): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      process.off("SIGINT", end).off("SIGTERM", end);
      resolve();
    };
    process.on("SIGINT", end).on("SIGTERM", end);
  });
}
