import type { ExecuteOptions } from "../../key-space/key-space.js";
import type { KeyRequest } from "../../model/key-request.js";
import type { EtcdResponse } from "../../model/response.js";
import type { Clock } from "../../time/clock.js";
import type { Watcher, WatchOptions } from "../../watch/watcher.js";

/** What recipes need of a client; `EtcdClient` is one. */
export interface RecipeClient {
  /** The client's time, by which TTLs and back-offs are measured. */
  readonly clock: Clock;
  /** Aborts when the client is closed. */
  readonly closed: AbortSignal;
  execute(request: KeyRequest, options?: ExecuteOptions): Promise<EtcdResponse>;
  watch(key: string, options?: WatchOptions): Watcher;
}
