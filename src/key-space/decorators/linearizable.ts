import type { KeyRequest } from "../../model/key-request.js";
import type { CallOptions } from "../call-options.js";
import type { KeySpace } from "../key-space.js";

/** The same keys. Every read has quorum, so that it shows everything that was written before it. */
export function linearizable(keySpace: KeySpace): KeySpace {
  const execute: KeySpace["execute"] = (request: KeyRequest, options?: CallOptions) =>
    keySpace.execute(request.action === "get" ? { ...request, quorum: true } : request, options);
  return {
    execute,
    openWatch: (request, options) => keySpace.openWatch(request, options),
    subscribe: (request, options) => keySpace.subscribe(request, options),
    close: () => keySpace.close(),
  };
}
