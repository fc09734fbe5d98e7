import { EtcdServerError } from "../../errors/server-error.js";
import { serverErrorOf } from "../../errors/server-error-of.js";
import type { KeyRequest, ScanRequest, WatchRequest } from "../../model/key-request.js";
import type { EtcdNode } from "../../model/node.js";
import type { EtcdReceipt, EtcdResponse } from "../../model/response.js";
import { checkKeyRequest } from "../../model/validate.js";
import type { CallOptions, ExecuteOptions, KeySpace, KeyWatch, Scan } from "../key-space.js";
import { pathOf } from "../shared/path.js";
import { withEvents } from "../shared/with-events.js";

/**
 * The subtree below a prefix as a key space of its own: keys are `/` for its top and lack the
 * prefix, in answers, events and etcd's refusals. Answers are copied, because a key space may hand
 * one event to several readers.
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
    const within = this.#within(request);
    checkKeyRequest(within);
    return this.#strip(await this.#tell(() => this.#inner.execute(within, options)));
  }

  async openWatch(request: WatchRequest, options?: CallOptions): Promise<KeyWatch> {
    const watch = await this.#tell(() => this.#inner.openWatch(this.#within(request), options));
    return withEvents(watch, this.#events(watch), (probeOptions) =>
      this.#tell(() => watch.probe(probeOptions)),
    );
  }

  async scan(request: ScanRequest, options?: CallOptions): Promise<Scan> {
    const scan = await this.#tell(() => this.#inner.scan(this.#within(request), options));
    return { ...scan, events: scan.events.map((event) => this.#strip(event)) };
  }

  get locate(): KeySpace["locate"] {
    const { locate } = this.#inner;
    if (locate === undefined) return undefined;
    return (key, options) => locate.call(this.#inner, this.#prefix + pathOf(key), options);
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

  /** Leaves the key space that it is part of open. */
  async close(): Promise<void> {}

  #within<R extends KeyRequest | WatchRequest | ScanRequest>(request: R): R {
    const key = this.#prefix !== "" && request.key === "/" ? "" : request.key;
    return { ...request, key: this.#prefix + key };
  }

  async *#events(watch: KeyWatch): AsyncGenerator<EtcdResponse, undefined, undefined> {
    for await (const event of watch) yield this.#strip(event);
    return undefined;
  }

  /** Shows an error's keys as the caller knows them. */
  async #tell<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof EtcdServerError)) throw error;
      const { errorCode, reason, index, status, endpoint, clusterId } = error;
      const key = this.#outside(error.key);
      const operation = error.operation.replace(error.key, () => key);
      const detail = error.detail.startsWith("/") ? this.#outside(error.detail) : error.detail;
      throw serverErrorOf({
        ...{ errorCode, reason, detail, index, status, key, operation, endpoint, clusterId },
      });
    }
  }

  #strip<R extends EtcdReceipt>(response: R): R {
    const { node, prevNode } = response as Partial<EtcdResponse>;
    return {
      ...response,
      ...(node && { node: this.#stripNode(node) }),
      ...(prevNode && { prevNode: this.#stripNode(prevNode) }),
    };
  }

  /** No recursion: a tree may be deeper than the stack. */
  #stripNode(top: EtcdNode): EtcdNode {
    const stripped = { ...top, key: this.#outside(top.key) };
    const waiting = [stripped];
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      if (node.nodes === undefined) continue;
      const nodes = node.nodes.map((child) => ({ ...child, key: this.#outside(child.key) }));
      node.nodes = nodes;
      for (const child of nodes) waiting.push(child);
    }
    return stripped;
  }

  /**
   * A key above the prefix (of an ancestor that was deleted, say) is all of the namespace: `/`. One
   * beside it, of which history may tell, becomes what is no key in it.
   */
  #outside(key: string): string {
    if (key.startsWith(`${this.#prefix}/`)) return key.slice(this.#prefix.length);
    const isAbove = key === "/" || `${this.#prefix}/`.startsWith(`${key}/`);
    return isAbove ? "/" : `..${key}`;
  }
}
