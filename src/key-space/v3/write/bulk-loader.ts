import type { RequestOp } from "../../../etcd3/rpcs.js";
import { NO_LEASE, putWithoutPrevious } from "../../../etcd3/transaction.js";
import type { TransactionSize } from "../../../etcd3/transaction-size.js";
import type { V3Call } from "../../../etcd3/v3-api.js";
import type { BulkLoading, ContinueOptions, LoadedNode, LoadOptions } from "../../bulk-loading.js";
import { checkPath } from "../schema/check-path.js";
import type { KeySchema } from "../schema/key-schema.js";
import type { Leases } from "../schema/leases.js";
import type { V3Tree } from "../schema/v3-tree.js";

/** Maximum bytes of values in one transaction, far below etcd's default limit of 1.5 MiB. */
const MAX_LOAD_BYTES = 512 * 1024;
/** Number of concurrent transactions. */
const MAX_CONCURRENT_TRANSACTIONS = 4;

/** Nodes that are written in one transaction, and so in one revision. */
type Batch = readonly LoadedNode[];

/** Fills a tree before it is in use, with as many puts per transaction as etcd accepts. */
export class BulkLoader implements BulkLoading {
  readonly #tree: V3Tree;
  readonly #leases: Leases;

  constructor(tree: V3Tree, leases: Leases) {
    this.#tree = tree;
    this.#leases = leases;
  }

  async continueAfter(
    index: number,
    { signal, margin = 1_000_000 }: ContinueOptions = {},
  ): Promise<void> {
    await this.#tree.raiseOffset(index, margin, signal);
  }

  async load(nodes: readonly LoadedNode[], { signal }: LoadOptions = {}): Promise<void> {
    for (const { key } of nodes) checkPath(key, { operation: `load of ${key}`, key });
    await this.#tree.register();
    const batches = batchesOf(nodes, this.#tree.size);
    const worker = async (): Promise<void> => {
      for (let batch = batches.next(); batch.done !== true; batch = batches.next()) {
        await this.#write(batch.value, signal);
      }
    };
    await Promise.all(Array.from({ length: MAX_CONCURRENT_TRANSACTIONS }, worker));
  }

  async #write(batch: Batch, signal: AbortSignal | undefined): Promise<void> {
    const key = batch[0]?.key ?? "/";
    const operation = `load of ${batch.length} nodes from ${key}`;
    const call: V3Call = { operation, key, safety: "write", scope: "quorum", signal };
    const puts = await Promise.all(batch.map((node) => this.#put(node, call)));
    await this.#tree.size.sendInParts(puts, (part) =>
      this.#tree.transact([{ if: [], do: part }], [], call),
    );
  }

  async #put({ key, value, ttl }: LoadedNode, call: V3Call): Promise<RequestOp> {
    const { schema } = this.#tree;
    if (value === undefined) return putWithoutPrevious(schema.marker(key), "");
    const lease = ttl === undefined ? NO_LEASE : await this.#leases.grant(ttl, false, call);
    return filePut(schema, key, value, lease);
  }
}

function filePut(schema: KeySchema, path: string, value: string, lease: string): RequestOp {
  return putWithoutPrevious(schema.file(path), value, lease);
}

function* batchesOf(
  nodes: readonly LoadedNode[],
  limits: TransactionSize,
): Generator<Batch, void, undefined> {
  let batch: LoadedNode[] = [];
  let bytes = 0;
  for (const node of nodes) {
    const size = Buffer.byteLength(node.key) + Buffer.byteLength(node.value ?? "");
    const isFull = batch.length >= limits.maxOperations || bytes + size > MAX_LOAD_BYTES;
    if (isFull && batch.length > 0) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(node);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
