import type { KeyRequest, WatchRequest } from "../model/key-request.js";
import type { KeyMethod } from "../wire/key-parameters.js";
import type { ServerRequest } from "./message.js";

/** Decides who may do what with keys. */
export interface KeyGuard {
  /** `path` is the key as sent, which is what etcd compares. */
  allows(
    request: ServerRequest,
    method: KeyMethod,
    path: string,
    asked: KeyRequest | WatchRequest,
  ): Promise<boolean>;
}
