import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { WatchTrace } from "../../src/index.js";

/** Resolves when a watch of this process is established at its client. */
export function watchStands(): Promise<WatchTrace> {
  return new Promise((resolve) => {
    const onTrace = (message: unknown): void => {
      const trace = message as WatchTrace;
      if (trace.event !== "open") return;
      unsubscribe("etcdnet:watch", onTrace);
      resolve(trace);
    };
    subscribe("etcdnet:watch", onTrace);
  });
}
