import type { KeyWatch } from "../../key-space/key-space.js";
import type { KeyRequest, WatchRequest } from "../../model/key-request.js";
import type { KeyMethod } from "../../wire/key-parameters.js";
import type { ServerRequest } from "../http/message.js";

/** A result that is often known at once. To wait for it would take a part of the time of a request. */
export type MaybePromise<T> = T | Promise<T>;

/** Decides which key requests are allowed. */
export interface KeyGuard<P extends Permit = Permit> {
  /** The permit for a request; undefined if it is refused. `path` is the key as sent, as etcd compares it. */
  permit(
    request: ServerRequest,
    method: KeyMethod,
    path: string,
    operation: KeyRequest | WatchRequest,
  ): MaybePromise<P | undefined>;
}

/** A permit for one request. It may become invalid while the request is in progress. */
export interface Permit {
  /** Whether the request is still allowed. */
  isValid(): MaybePromise<boolean>;
  /**
   * Closes a watch when the permit becomes invalid.
   *
   * @returns a function to call when the watch is over
   */
  guard(watch: Pick<KeyWatch, "close">): () => void;
}
