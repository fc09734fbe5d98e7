import { type RequestOp, RPC, type TxnResponse } from "../etcd3/rpcs.js";
import { firstOf, type KeyRange, putWithoutPrevious, read, remove } from "../etcd3/transaction.js";
import { TransactionSize } from "../etcd3/transaction-size.js";
import { readTxnResult } from "../etcd3/txn-result.js";
import type { V3Api, V3Call, V3Response } from "../etcd3/v3-api.js";
import { PageReader } from "../key-space/v3/read/page-reader.js";
import { keptIndexesPrefix, utf8TextOf } from "../key-space/v3/schema/key-schema.js";

/** The indexes of a node. */
export interface NodeIndexes {
  readonly modifiedIndex: number;
  readonly createdIndex: number;
}

/**
 * The indexes of a node that clients see. A copy that nobody has changed has those from before the switch, and the same node
 * always has its `createdIndex`.
 *
 * @param kept those from before; `undefined`: they are not known
 * @param first index of the cluster after the switch: smaller ones are of the copy
 */
export function shownIndexes(
  node: NodeIndexes,
  kept: NodeIndexes | undefined,
  first: number,
): NodeIndexes {
  if (kept === undefined || node.createdIndex >= first) return node;
  const { createdIndex } = kept;
  return { createdIndex, modifiedIndex: (node.modifiedIndex < first ? kept : node).modifiedIndex };
}

const TEXT = /^(\d+) (\d+)$/;

/**
 * The indexes that clients saw of the nodes before a switch, by path: one v3 key for each node, in a range that is not part of
 * a tree. A node that has not been changed since still has them for clients. They are written before the switch, and not
 * changed after it.
 */
export class KeptIndexes {
  readonly #api: V3Api;
  readonly #prefix: string;
  readonly #size = new TransactionSize();

  /** @param switches number of the switch, from 1 on */
  constructor(api: V3Api, keyPrefix: string, switches: number) {
    this.#api = api;
    this.#prefix = keptIndexesPrefix(keyPrefix, switches);
  }

  /** Those of some nodes, as far as they are known. */
  async of(
    paths: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<ReadonlyMap<string, NodeIndexes>> {
    const found = new Map<string, NodeIndexes>();
    const add = adderTo(found);
    const reads = paths.map((path) => read(this.#prefix + path));
    await this.#inParts(reads, async (part) => {
      const response = await this.#send("read", part, signal);
      for (const { kvs } of readTxnResult(response, 0).results) {
        for (const kv of kvs) add(utf8TextOf(kv.key)?.slice(this.#prefix.length) ?? "", kv);
      }
    });
    return found;
  }

  /** Those of all nodes below a path. */
  async below(
    path: string,
    signal: AbortSignal | undefined,
  ): Promise<ReadonlyMap<string, NodeIndexes>> {
    const found = new Map<string, NodeIndexes>();
    const range = this.#rangeBelow(path);
    const pages = new PageReader(range, { prefix: this.#prefix, add: adderTo(found) });
    for (let page = pages.next(); page !== undefined; page = pages.next()) {
      const call = this.#call("read", signal);
      const { message } = await this.#api.call(RPC.range, page.request_range, call);
      pages.take(message);
    }
    return found;
  }

  /** `undefined`: the node does not exist. */
  async write(
    entries: readonly (readonly [string, NodeIndexes | undefined])[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const operations = entries.map(([path, indexes]) => {
      const key = this.#prefix + path;
      return indexes === undefined ? remove(key) : putWithoutPrevious(key, textOf(indexes));
    });
    await this.#inParts(operations, (part) => this.#send("write", part, signal));
  }

  /** Removes all. */
  async remove(signal: AbortSignal | undefined): Promise<void> {
    await this.#api.call(RPC.deleteRange, this.#rangeBelow(""), this.#call("write", signal));
  }

  #rangeBelow(path: string): KeyRange {
    const start = this.#prefix + path;
    return { key: `${start}/`, range_end: `${start}0` };
  }

  async #inParts<T>(
    items: readonly T[],
    send: (part: readonly T[]) => Promise<unknown>,
  ): Promise<void> {
    const size = this.#size;
    for (let at = 0; at < items.length; ) {
      const part = items.slice(at, at + size.maxOperations);
      at += part.length;
      await size.sendInParts(part, send);
    }
  }

  #send(
    safety: "read" | "write",
    operations: readonly RequestOp[],
    signal: AbortSignal | undefined,
  ): Promise<V3Response<TxnResponse>> {
    return this.#api.call(RPC.txn, firstOf([], operations), this.#call(safety, signal));
  }

  #call(safety: V3Call["safety"], signal: AbortSignal | undefined): V3Call {
    const operation = `${safety} indexes from before the switch`;
    return { operation, key: this.#prefix, safety, scope: "quorum", signal };
  }
}

function textOf({ modifiedIndex, createdIndex }: NodeIndexes): string {
  return `${modifiedIndex} ${createdIndex}`;
}

function adderTo(
  found: Map<string, NodeIndexes>,
): (path: string, kv: { readonly value: Buffer }) => void {
  return (path, { value }) => {
    const [, modified, created] = TEXT.exec(value.toString()) ?? [];
    if (modified === undefined) return;
    found.set(path, { modifiedIndex: Number(modified), createdIndex: Number(created) });
  };
}
