import { OptionError } from "../../errors/option-error.js";
import type { KeyRequest } from "../../model/key-request.js";
import type { EtcdResponse } from "../../model/response.js";
import type { ExecuteOptions, KeySpace, KeyWatch } from "../key-space.js";
import type { PastReads } from "../past.js";
import type { Subscription } from "../subscription.js";

/** A key space as of an index. It can only be read. */
export class PastKeySpace implements KeySpace {
  readonly past: PastReads;
  readonly #index: number;

  constructor(past: PastReads, index: number) {
    this.past = past;
    this.#index = index;
  }

  async execute(request: KeyRequest, options?: ExecuteOptions): Promise<EtcdResponse> {
    if (request.action !== "get") throw this.#refusal("write");
    return await this.past.getAt(request, this.#index, options);
  }

  async openWatch(): Promise<KeyWatch> {
    throw this.#refusal("watch");
  }

  subscribe(): Subscription {
    const refused = Promise.reject(this.#refusal("watch"));
    refused.catch(() => {});
    return {
      opened: refused,
      index: this.#index,
      currentAt: undefined,
      lastError: undefined,
      next: () => refused,
      return: async () => ({ done: true, value: undefined }),
      reached: () => refused,
      close: () => {},
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** Leaves the key space of the present open. */
  async close(): Promise<void> {}

  #refusal(what: string): OptionError {
    return new OptionError("at", `the past can only be read; this is a ${what}`);
  }
}
