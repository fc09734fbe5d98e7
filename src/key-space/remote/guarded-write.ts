import { type KeyRequest, operationOf } from "../../model/key-request.js";
import type { EtcdReceipt, EtcdResponse } from "../../model/response.js";
import type { CallOptions } from "../call-options.js";
import { isMissingNode } from "../shared/read-state.js";
import { type RepeatableWrite, type SettleOptions, settle } from "../shared/settle.js";
import type { WatchRequests } from "./watch/watch-requests.js";

/** A write of v2 that is applied only to one version of a file. */
type GuardedRequest = Extract<KeyRequest, { readonly prevIndex?: number | undefined }> & {
  readonly prevIndex: number;
};

/** How a {@link GuardedWrite} reaches etcd. */
export interface GuardedWriteContext {
  execute(request: KeyRequest): Promise<EtcdReceipt>;
  readonly requests: WatchRequests;
}

/** Whether a write can be repeated: an index never returns, so at most one attempt is applied. */
export function isGuarded(request: KeyRequest): request is GuardedRequest {
  return "prevIndex" in request && request.prevIndex !== undefined;
}

/**
 * A write with `prevIndex`, until its outcome is certain, as far as the v2 API shows it. An attempt
 * that succeeds is the only one that does. After a refusal, no earlier attempt can be applied any
 * more, but one may have been: then the history shows a change that equals the request. Another
 * client may have made the same change, so the outcome stays unknown.
 */
export class GuardedWrite implements RepeatableWrite<EtcdReceipt> {
  readonly operation: string;
  readonly #request: GuardedRequest;
  readonly #context: GuardedWriteContext;
  readonly #options: CallOptions;

  constructor(request: GuardedRequest, context: GuardedWriteContext, options: CallOptions) {
    this.operation = operationOf(request);
    this.#request = request;
    this.#context = context;
    this.#options = options;
  }

  /** @throws OutcomeUnknownError when the outcome cannot be found out */
  run(options: SettleOptions): Promise<EtcdReceipt> {
    return settle(this, options);
  }

  attempt(): Promise<EtcdReceipt> {
    return this.#context.execute(this.#request);
  }

  mustFence(): boolean {
    return false;
  }

  /** Throws the refusal if it does not prove that no earlier attempt was applied. */
  async fence(refusal: unknown): Promise<undefined> {
    if (!(await this.#isUnchanged()) && !(await this.#wasChangedByAnother())) throw refusal;
  }

  /** Whether the file still has the version. Then it has another value than the request requires. */
  async #isUnchanged(): Promise<boolean> {
    const { key, prevIndex } = this.#request;
    try {
      const response = await this.#context.execute({ action: "get", key, quorum: true });
      return "node" in response && isAt(response, prevIndex);
    } catch (error) {
      if (isMissingNode(error)) return false;
      throw error;
    }
  }

  /** Whether the next change of the file was certainly not made by this request. */
  async #wasChangedByAnother(): Promise<boolean> {
    const { key, prevIndex, action } = this.#request;
    const since = prevIndex + 1;
    const scan = { key, recursive: false, since };
    const { events } = await this.#context.requests.scan(scan, this.#options);
    const [change] = events;
    if (change?.node.key !== key || change.prevNode?.modifiedIndex !== prevIndex) return false;
    return change.action !== action || textOf(change.node) !== textOf(this.#request);
  }
}

function isAt(response: object, index: number): boolean {
  return (response as EtcdResponse).node.modifiedIndex === index;
}

function textOf(from: object): unknown {
  return "value" in from ? from.value : undefined;
}
