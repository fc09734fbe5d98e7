/**
 * Resolves at SIGINT or SIGTERM. A second signal finds no listener, so it ends the process.
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
