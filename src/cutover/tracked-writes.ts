import { ClusterUnavailableError } from "../errors/cluster-errors.js";
import { CutoverError } from "../errors/cutover-error.js";
import { EtcdCommonError } from "../errors/server-error.js";
import type { CallOptions } from "../key-space/call-options.js";
import type { ExecuteOptions, KeySpace, KeyWatch } from "../key-space/key-space.js";
import type { SubscribeRequest, Subscription } from "../key-space/subscription.js";
import type { KeyRequest, WatchRequest } from "../model/key-request.js";
import type { EtcdResponse } from "../model/response.js";

/** A key space that writes nothing more after a write that may still arrive at its cluster. */
export class TrackedWrites implements KeySpace {
  readonly #inner: KeySpace;
  /** The write. */
  #uncertain: string | undefined;

  constructor(inner: KeySpace) {
    this.#inner = inner;
  }

  /** Whether no write can still arrive. */
  get isCertain(): boolean {
    return this.#uncertain === undefined;
  }

  async execute(request: KeyRequest, options?: ExecuteOptions): Promise<EtcdResponse> {
    if (request.action !== "get" && this.#uncertain !== undefined) throw this.#failure;
    try {
      return await this.#inner.execute(request, options);
    } catch (error) {
      if (request.action !== "get" && !isCertain(error)) {
        this.#uncertain = `${request.action} ${request.key}`;
        throw this.#failure;
      }
      throw error;
    }
  }

  get #failure(): CutoverError {
    return new CutoverError(
      `not returned: v2 has not responded to a write (${this.#uncertain}), which may still arrive; run it again`,
    );
  }

  openWatch(request: WatchRequest, options?: CallOptions): Promise<KeyWatch> {
    return this.#inner.openWatch(request, options);
  }

  subscribe(request: SubscribeRequest, options?: CallOptions): Subscription {
    return this.#inner.subscribe(request, options);
  }

  get locate(): KeySpace["locate"] {
    return this.#inner.locate?.bind(this.#inner);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

/** Whether a write that has failed like this is never carried out later. */
function isCertain(error: unknown): boolean {
  return error instanceof EtcdCommonError || error instanceof ClusterUnavailableError;
}
