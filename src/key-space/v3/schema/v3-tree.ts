import { traceDamage } from "../../../diagnostics/channels.js";
import { UnauthorizedError } from "../../../errors/common-errors.js";
import { errorDefinition, serverErrorOf } from "../../../errors/error-table.js";
import { DamagedRecordError } from "../../../errors/v3-errors.js";
import { refusalReasonOf } from "../../../etcd3/error-messages.js";
import { toHexId } from "../../../etcd3/hex-id.js";
import { MAX_NATURAL } from "../../../etcd3/protobuf/message-type.js";
import { type KeyValue, type RequestOp, RPC } from "../../../etcd3/rpcs.js";
import {
  atRevision,
  type Bytes,
  firstOf,
  isAbsent,
  isAtRevision,
  putWithoutPrevious,
  type Read,
  type ReadOptions,
  read,
  type TxnBranch,
} from "../../../etcd3/transaction.js";
import { halfOf, TransactionSize } from "../../../etcd3/transaction-size.js";
import {
  checkReads,
  type OperationResult,
  readPutResult,
  readTxnResult,
  type TxnResult,
} from "../../../etcd3/txn-result.js";
import type { V3Api, V3Call } from "../../../etcd3/v3-api.js";
import { type KeyRequest, operationOf } from "../../../model/key-request.js";
import type { ResponseOrigin } from "../../../model/response.js";
import type { Clock } from "../../../time/clock.js";
import { StoreError } from "../../shared/store-error.js";
import type { KeySchema } from "./key-schema.js";
import { type NodeView, textOf } from "./node-view.js";
import { impliedParentsOf, type PathSnapshot, withImpliedParents } from "./path-snapshot.js";
import { TreeRegistry } from "./tree-registry.js";

/** The offset between revisions and indexes. */
export interface IndexOffset {
  /** Index offset, which is added to a revision. */
  readonly offset: number;
  /** First valid index: those before the offset was written were never shown. */
  readonly firstIndex: number;
  /** Revision at which the offset was written; 0 without an offset. */
  readonly writtenAt: number;
}

/**
 * Milliseconds after which the offset is read again, because another process may have raised it.
 */
const OFFSET_VALIDITY_MS = 30_000;

/** Executes transactions on one tree in the v3 key space, and converts revisions to v2 indexes. */
export class V3Tree {
  readonly api: V3Api;
  readonly schema: KeySchema;
  readonly clock: Clock;
  readonly size = new TransactionSize();
  /** Newest revision known to this process. */
  #revision = 0;
  #indexOffset: Promise<IndexOffset> | undefined;
  #knownOffset: IndexOffset | undefined;
  /** Monotonic time at which the offset was read. */
  #offsetReadAt = 0;
  #rereading: Promise<IndexOffset> | undefined;
  readonly #onOffsetChange: () => void;
  #trees: TreeRegistry;
  #registering: Promise<void> | undefined;

  /** @param onOffsetChange called when the offset differs from the one used before */
  constructor(api: V3Api, schema: KeySchema, clock: Clock, onOffsetChange = (): void => {}) {
    this.api = api;
    this.schema = schema;
    this.clock = clock;
    this.#onOffsetChange = onOffsetChange;
    this.#trees = new TreeRegistry(schema);
  }

  /** Forgets everything, because another store has replaced the known one. */
  forget(): void {
    this.#revision = 0;
    this.#indexOffset = undefined;
    this.#knownOffset = undefined;
    this.#trees = new TreeRegistry(this.schema);
    this.#registering = undefined;
  }

  get revision(): number {
    return this.#revision;
  }

  /** Newest index in a response. */
  get newestIndex(): number {
    return this.#revision + (this.#knownOffset?.offset ?? 0);
  }

  /** The current offset; `undefined` if it has to be read. */
  get currentOffset(): IndexOffset | undefined {
    const age = this.clock.monotonic() - this.#offsetReadAt;
    return age <= OFFSET_VALIDITY_MS ? this.#knownOffset : undefined;
  }

  /** Whether {@link register} may need a request. */
  get mustRegister(): boolean {
    return this.#trees.isPending;
  }

  /**
   * Returns the current offset, which is periodically read with quorum. A local read does not wait
   * for that, because there may be no quorum.
   */
  async indexOffset(scope: V3Call["scope"], attemptTimeout?: number): Promise<IndexOffset> {
    const current = this.currentOffset;
    if (current !== undefined) return current;
    const known = this.#knownOffset;
    if (known !== undefined) {
      this.#rereading ??= this.#rereadOffset(known).finally(() => {
        this.#rereading = undefined;
      });
      return scope === "quorum" ? await this.#rereading : known;
    }
    const agreed = this.#readOffsetByQuorum(attemptTimeout);
    if (scope === "quorum") return await agreed;
    agreed.catch(() => {});
    return await this.#readOffset("local", attemptTimeout);
  }

  /**
   * Registers the tree before the first write, so that no other tree is opened above or below it.
   *
   * @throws NestedPrefixError
   */
  async register(): Promise<void> {
    if (!this.mustRegister) return;
    this.#registering ??= this.#register().finally(() => {
      this.#registering = undefined;
    });
    await this.#registering;
  }

  /**
   * Raises the offset to `least` plus `margin`, unless it is at least `least`. No index up to that is ever shown here
   * afterwards, and a watch from such an index learns that it must read again.
   */
  async raiseOffset(least: number, margin: number, signal: AbortSignal | undefined): Promise<void> {
    const operation = "raise the index offset";
    const call: V3Call = { operation, key: "/", safety: "write", scope: "quorum", signal };
    const { offset: key } = this.schema;
    for (;;) {
      const { results } = await this.transact([], [read(key)], { ...call, safety: "read" });
      const record = results[0]?.kvs[0];
      const indexOffset = indexOffsetOf(record, this.schema);
      this.#setOffset(indexOffset);
      if (indexOffset.offset >= least) return;
      const raise = putWithoutPrevious(key, String(least + margin));
      const unchanged =
        record === undefined ? isAbsent(key) : isAtRevision(key, record.mod_revision);
      await this.transact([{ if: [unchanged], do: [raise] }], [], call);
    }
  }

  /**
   * Executes the first branch whose conditions are met, otherwise `otherwise`, which only reads.
   */
  async transact(
    branches: readonly TxnBranch[],
    otherwise: readonly RequestOp[],
    call: V3Call,
  ): Promise<TxnResult> {
    const response = await this.api.call(RPC.txn, firstOf(branches, otherwise), call);
    return this.#recordRevision(readTxnResult(response, branches.length));
  }

  /**
   * Sets the value of an existing key and keeps its lease, with the shortest write of etcd. The
   * result is that of a transaction; `undefined` when the key does not exist.
   */
  async putExisting(key: Bytes, value: Bytes, call: V3Call): Promise<TxnResult | undefined> {
    const put = { key, value, ignore_lease: true, prev_kv: true };
    try {
      return this.#recordRevision(readPutResult(await this.api.call(RPC.put, put, call)));
    } catch (error) {
      if (refusalReasonOf(error) !== "key-not-found") throw error;
      return undefined;
    }
  }

  /**
   * Reads at one revision, in several transactions if one would be too large. An operation may name
   * another revision.
   */
  async read(
    operations: readonly Read[],
    call: V3Call,
    maxOperations = this.size.maxOperations,
  ): Promise<TxnResult> {
    const part = operations.slice(0, maxOperations);
    const rest = operations.slice(maxOperations);
    let first: TxnResult;
    try {
      first = await this.transact([], part, call);
    } catch (error) {
      if (!this.size.isExceeded(error, part.length)) throw error;
      return await this.read(operations, call, halfOf(part.length));
    }
    checkReads(part, first.results);
    if (rest.length === 0) return first;
    const pinned = rest.map((operation) => {
      const { revision = first.header.revision } = operation.request_range;
      return atRevision(operation, revision);
    });
    const { results } = await this.read(pinned, call);
    return { ...first, results: [...first.results, ...results] };
  }

  /** Completes a snapshot of that revision with the implied directories. */
  async readImpliedParents(
    snapshot: PathSnapshot,
    revision: number,
    call: V3Call,
    options: ReadOptions = {},
  ): Promise<PathSnapshot> {
    const reads = impliedParentsOf(snapshot, this.schema, { ...options, revision });
    if (reads.length === 0) return snapshot;
    return withImpliedParents(snapshot, (await this.read(reads, call)).results);
  }

  view(offset: number): NodeView {
    return { offset, now: this.clock.now() };
  }

  /** The v2 error for a `StoreError`; other errors unchanged. */
  toServerError(
    error: unknown,
    request: KeyRequest,
    at: Pick<TxnResult, "header" | "endpoint">,
    offset: number,
  ): unknown {
    if (!(error instanceof StoreError)) return error;
    return serverErrorOf({
      ...errorDefinition(error.errorCode),
      errorCode: error.errorCode,
      detail: error.detail,
      index: at.header.revision + offset,
      key: request.key,
      operation: operationOf(request),
      endpoint: at.endpoint,
      clusterId: toHexId(at.header.cluster_id),
    });
  }

  #recordRevision(response: TxnResult): TxnResult {
    this.#revision = Math.max(this.#revision, response.header.revision);
    return response;
  }

  /** Forgets the offset because it was written again: it is read before the next response. */
  forgetIndexOffset(): void {
    this.#indexOffset = undefined;
    this.#knownOffset = undefined;
    this.#onOffsetChange();
  }

  /**
   * Uses the known offset if it cannot be read again: the request itself then reports the failure.
   */
  async #rereadOffset(known: IndexOffset): Promise<IndexOffset> {
    this.#indexOffset = undefined;
    try {
      return await this.#readOffsetByQuorum();
    } catch {
      return known;
    }
  }

  #setOffset(indexOffset: IndexOffset): void {
    const isChanged =
      (this.#knownOffset?.writtenAt ?? indexOffset.writtenAt) !== indexOffset.writtenAt;
    this.#knownOffset = indexOffset;
    this.#offsetReadAt = this.clock.monotonic();
    if (isChanged) this.#onOffsetChange();
  }

  async #readOffsetByQuorum(attemptTimeout?: number): Promise<IndexOffset> {
    this.#indexOffset ??= this.#readOffset("quorum", attemptTimeout);
    const pending = this.#indexOffset;
    try {
      const indexOffset = await pending;
      if (this.#indexOffset === pending) this.#setOffset(indexOffset);
      return indexOffset;
    } catch (error) {
      if (this.#indexOffset === pending) this.#indexOffset = undefined;
      throw error;
    }
  }

  /** Reads the offset and the other trees: an overlapping tree is refused. */
  async #readOffset(scope: V3Call["scope"], attemptTimeout?: number): Promise<IndexOffset> {
    const operation = "GET of the index offset (before the first request)";
    const call: V3Call = { operation, key: "/", safety: "read", scope, attemptTimeout };
    const options = scope === "local" ? { serializable: true } : {};
    const offset = read(this.schema.offset, options);
    const results = await this.#readWithTrees(offset, this.#trees.reads(options), call);
    return indexOffsetOf(results[0]?.kvs[0], this.schema);
  }

  /** For users who may not read the registry, the check for other trees is omitted. */
  async #readWithTrees(
    offset: Read,
    trees: readonly Read[],
    call: V3Call,
  ): Promise<readonly OperationResult[]> {
    try {
      const { results } = await this.read([offset, ...trees], call);
      this.#trees.take(results.slice(1));
      return results;
    } catch (error) {
      if (!(error instanceof UnauthorizedError) || trees.length === 0) throw error;
      const results = await this.#readWithTrees(offset, [], call);
      this.#trees.hide();
      return results;
    }
  }

  /** Idempotent, so it is sent like a read. */
  async #register(): Promise<void> {
    const operation = "registration of the key prefix (once, before the first write)";
    const call: V3Call = { operation, key: "/", safety: "read", scope: "quorum" };
    const trees = this.#trees;
    try {
      const { branch, results } = await this.transact([trees.registration], trees.reads(), call);
      if (branch === undefined) trees.take(results);
      else trees.registered();
    } catch (error) {
      // The waiting write may be a removal, which needs no space.
      if (refusalReasonOf(error) === "no-space") return;
      if (!(error instanceof UnauthorizedError)) throw error;
      trees.hide();
    }
  }
}

/** @throws DamagedRecordError */
function indexOffsetOf(record: KeyValue | undefined, { offset: key }: KeySchema): IndexOffset {
  if (record === undefined) return { offset: 0, firstIndex: 1, writtenAt: 0 };
  const text = textOf(record.value);
  const offset = Number(text);
  if (/^\d+$/.test(text) && offset <= MAX_NATURAL) {
    const { mod_revision: writtenAt } = record;
    return { offset, firstIndex: offset + writtenAt, writtenAt };
  }
  const damaged = new DamagedRecordError(
    key.toString(),
    "the index offset must be a decimal number up to 2^52 - 1; write the previous one, so that indexes stay comparable",
  );
  traceDamage(damaged);
  throw damaged;
}

/**
 * The origin fields of a v2 response. v3 does not return raft's index; the index of the key space
 * replaces it, because clients expect one that increases.
 */
export function originOf(
  { endpoint, header }: Pick<TxnResult, "endpoint" | "header">,
  offset: number,
): ResponseOrigin {
  const index = header.revision + offset;
  return {
    etcdServer: endpoint,
    etcdClusterId: toHexId(header.cluster_id),
    etcdIndex: index,
    raftIndex: index,
    raftTerm: header.raft_term,
  };
}
