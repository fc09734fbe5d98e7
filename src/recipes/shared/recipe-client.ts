import type { ExecuteOptions } from "../../key-space/key-space.js";
import type { KeyRequest } from "../../model/key-request.js";
import type { EtcdResponse } from "../../model/response.js";
import type { Clock } from "../../time/clock.js";
import type { Watcher, WatchOptions } from "../../watch/watcher.js";

/** The part of a client that recipes use. `EtcdClient` implements it. */
export interface RecipeClient {
  /** The clock that measures TTLs and backoff. */
  readonly clock: Clock;
  /** Aborts when the client is closed. */
  readonly closed: AbortSignal;
  execute(request: KeyRequest, options?: ExecuteOptions): Promise<EtcdResponse>;
  watch(key: string, options?: WatchOptions): Watcher;
}
