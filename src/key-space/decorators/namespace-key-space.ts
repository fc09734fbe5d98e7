import { serverErrorOf } from "../../errors/error-table.js";
import { EtcdServerError } from "../../errors/server-error.js";
import type { KeyRequest, WatchRequest } from "../../model/key-request.js";
import type { AnyNode, EtcdNode } from "../../model/node.js";
import type { EtcdNodeResponse, EtcdReceipt, EtcdResponse } from "../../model/response.js";
import { checkKeyRequest } from "../../model/validate.js";
import type { CallOptions } from "../call-options.js";
import type { ExecuteOptions, KeySpace, KeyWatch } from "../key-space.js";
import type { KeyHistory, PastChange, PastReads } from "../past.js";
import { mapSubscription } from "../shared/map-subscription.js";
import { pathOf } from "../shared/path.js";
import { WatchWithEvents } from "../shared/watch-decorator.js";
import type { Changes, Resync, SubscribeRequest, Subscription } from "../subscription.js";

/**
 * Presents the subtree below a prefix as a key space. Its top is `/`; keys in responses, events and
 * etcd's errors lack the prefix. Responses are copied, because a key space may deliver one event to
 * several readers.
 */
export class NamespaceKeySpace implements KeySpace {
  readonly #inner: KeySpace;
  readonly #prefix: string;

  /** `prefix` is a key without a trailing slash, e.g. `/apps/mail`. */
  constructor(inner: KeySpace, prefix: string) {
    this.#inner = inner;
    this.#prefix = prefix;
  }

  async execute(request: KeyRequest, options?: ExecuteOptions): Promise<EtcdResponse> {
    const inner = this.#toInner(request);
    checkKeyRequest(inner);
    return this.#strip(await this.#translateErrors(() => this.#inner.execute(inner, options)));
  }

  async openWatch(request: WatchRequest, options?: CallOptions): Promise<KeyWatch> {
    const watch = await this.#translateErrors(() =>
      this.#inner.openWatch(this.#toInner(request), options),
    );
    return new WatchWithEvents(watch, this.#events(watch));
  }

  subscribe(request: SubscribeRequest, options?: CallOptions): Subscription {
    const inner = this.#toInner(request);
    return mapSubscription(
      this.#inner.subscribe(inner, options),
      (item) => this.#stripItem(item),
      (error) => this.#translate(error),
    );
  }

  get acceptsIdempotencyKeys(): boolean | undefined {
    return this.#inner.acceptsIdempotencyKeys;
  }

  get locate(): KeySpace["locate"] {
    const { locate } = this.#inner;
    if (locate === undefined) return undefined;
    return (key, options) => locate.call(this.#inner, this.#prefix + pathOf(key), options);
  }

  get past(): PastReads | undefined {
    const { past } = this.#inner;
    if (past === undefined) return undefined;
    return {
      getAt: async (request, index, options) => {
        const get = (): Promise<EtcdNodeResponse> =>
          past.getAt(this.#toInner(request), index, options);
        return this.#strip(await this.#translateErrors(get));
      },
      history: async (key, options) => {
        const inner = this.#prefix + pathOf(key);
        const open = (): Promise<KeyHistory> => past.history(inner, options);
        return this.#stripHistory(await this.#translateErrors(open));
      },
    };
  }

  get unnamedKeys(): KeySpace["unnamedKeys"] {
    const { unnamedKeys } = this.#inner;
    if (unnamedKeys === undefined) return undefined;
    const prefix = this.#prefix;
    const inner = this.#inner;
    return async function* (key, options) {
      const found = unnamedKeys.call(inner, prefix + pathOf(key), options);
      for await (const unnamed of found) yield unnamed.slice(prefix.length);
    };
  }

  /** Leaves the inner key space open. */
  async close(): Promise<void> {}

  #toInner<R extends KeyRequest | WatchRequest | SubscribeRequest>(request: R): R {
    const key = this.#prefix !== "" && request.key === "/" ? "" : request.key;
    return { ...request, key: this.#prefix + key };
  }

  async *#events(watch: KeyWatch): AsyncGenerator<EtcdResponse, undefined, undefined> {
    for await (const event of watch) yield this.#strip(event);
    return undefined;
  }

  /** Removes the prefix from the keys of errors. */
  async #translateErrors<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw this.#translate(error);
    }
  }

  #translate(error: unknown): unknown {
    if (!(error instanceof EtcdServerError)) return error;
    const { errorCode, reason, index, status, endpoint, clusterId } = error;
    const key = this.#fromInner(error.key);
    const operation = error.operation.replace(error.key, () => key);
    const detail = error.detail.startsWith("/") ? this.#fromInner(error.detail) : error.detail;
    return serverErrorOf({
      ...{ errorCode, reason, detail, index, status, key, operation, endpoint, clusterId },
    });
  }

  #stripItem(item: Changes | Resync): Changes | Resync {
    if (item.type === "changes") {
      return { ...item, changes: item.changes.map((change) => this.#strip(change)) };
    }
    return { ...item, response: item.response && this.#strip(item.response) };
  }

  #stripHistory(history: KeyHistory): KeyHistory {
    const { isComplete, firstIndex, lastIndex, initial } = history;
    const changes = async function* (space: NamespaceKeySpace): AsyncGenerator<PastChange> {
      try {
        for await (const change of history) yield space.#stripChange(change);
      } catch (error) {
        throw space.#translate(error);
      }
    };
    return {
      ...{ isComplete, firstIndex, lastIndex },
      ...(initial && { initial: this.#stripNode(initial) }),
      [Symbol.asyncIterator]: () => changes(this),
    };
  }

  #stripChange(change: PastChange): PastChange {
    const { node, prevNode, by } = change;
    return {
      ...change,
      node: this.#stripNode(node),
      ...(prevNode && { prevNode: this.#stripNode(prevNode) }),
      ...(by !== undefined && { by: this.#fromInner(by) }),
    };
  }

  #strip<R extends EtcdReceipt>(response: R): R {
    const { node, prevNode } = response as Partial<EtcdResponse>;
    return {
      ...response,
      ...(node && { node: this.#stripNode(node) }),
      ...(prevNode && { prevNode: this.#stripNode(prevNode) }),
    };
  }

  /** No recursion: a tree may be deeper than the call stack. */
  #stripNode<N extends AnyNode>(top: N): N {
    const stripped = { ...top, key: this.#fromInner(top.key) };
    const pending: { nodes?: readonly EtcdNode[] | undefined }[] = [stripped];
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (node.nodes === undefined) continue;
      const nodes = node.nodes.map((child) => ({ ...child, key: this.#fromInner(child.key) }));
      node.nodes = nodes;
      for (const child of nodes) pending.push(child);
    }
    return stripped;
  }

  /**
   * A key above the prefix (e.g. of a deleted ancestor) becomes the top of the namespace, `/`.
   * History may contain a key outside the prefix; it becomes a string that is not a valid key.
   */
  #fromInner(key: string): string {
    if (key.startsWith(`${this.#prefix}/`)) return key.slice(this.#prefix.length);
    const isAbove = key === "/" || `${this.#prefix}/`.startsWith(`${key}/`);
    return isAbove ? "/" : `..${key}`;
  }
}
