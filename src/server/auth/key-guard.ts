import type { KeyWatch } from "../../key-space/key-space.js";
import type { KeyRequest, WatchRequest } from "../../model/key-request.js";
import type { KeyMethod } from "../../wire/key-parameters.js";
import type { ServerRequest } from "../http/message.js";

/** Decides which key requests are allowed. */
export interface KeyGuard<P extends Permit = Permit> {
  /** The permit for a request; undefined if it is refused. `path` is the key as sent, as etcd compares it. */
  permit(
    request: ServerRequest,
    method: KeyMethod,
    path: string,
    operation: KeyRequest | WatchRequest,
  ): Promise<P | undefined>;
}

/** A permit for one request. It may become invalid while the request is in progress. */
export interface Permit {
  /** Whether the request is still allowed. */
  isValid(): Promise<boolean>;
  /**
   * Closes a watch when the permit becomes invalid.
   *
   * @returns a function to call when the watch is over
   */
  guard(watch: Pick<KeyWatch, "close">): () => void;
}
