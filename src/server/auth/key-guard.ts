import type { KeyWatch } from "../../key-space/key-space.js";
import type { KeyRequest, WatchRequest } from "../../model/key-request.js";
import type { KeyMethod } from "../../wire/key-parameters.js";
import type { ServerRequest } from "../http/message.js";

/** Decides who may do what with keys. */
export interface KeyGuard {
  /** The permit for a request, if it is given. `path` is the key as sent, which is what etcd compares. */
  permit(
    request: ServerRequest,
    method: KeyMethod,
    path: string,
    asked: KeyRequest | WatchRequest,
  ): Promise<Permit | undefined>;
}

/** A permit for one request, which may be withdrawn while the request is under way. */
export interface Permit {
  /** Whether it would still be given. */
  holds(): Promise<boolean>;
  /**
   * Closes a watch when the permit no longer holds.
   *
   * @returns what must be called when the watch is over
   */
  guard(watch: Pick<KeyWatch, "close">): () => void;
}
