import type { KeyValue, RequestOp } from "../../../etcd3/rpcs.js";
import {
  isAtRevision,
  putWithoutPrevious,
  read,
  type TxnBranch,
} from "../../../etcd3/transaction.js";
import type { TxnResult } from "../../../etcd3/txn-result.js";
import type { V3Call } from "../../../etcd3/v3-api.js";
import { encodeIdempotencyRecord, type WriteOutcome } from "../schema/idempotency-record.js";
import type { Leases } from "../schema/leases.js";
import type { V3Tree } from "../schema/v3-tree.js";
import type { ResponseSource } from "./write-response.js";

/** Another attempt of this write, or a write with the same idempotency key, has put the record. */
export class RecordClaimedError extends Error {
  readonly record: KeyValue;
  /** The response that contains the record. */
  readonly source: ResponseSource;

  constructor(record: KeyValue, source: ResponseSource) {
    super("the idempotency record says what became of the write");
    this.record = record;
    this.source = source;
  }
}

/** The lease of the record has ended. So no attempt that names it can be applied any more. */
export class RecordLostError extends Error {}

/**
 * The idempotency record of one write. Each attempt requires that the record is at `revision`, and
 * puts it in the same transaction. A key never returns to an earlier revision, so at most one
 * attempt is applied, however late it is executed.
 */
export class WriteRecord {
  readonly key: string;
  /** Lease of the record. A put that names a lease which has ended is refused. */
  readonly lease: string;
  /** Fingerprint of the request, if the caller has chosen the idempotency key. */
  readonly request: string | undefined;
  /** `mod_revision` of the record before the write; 0 if it is absent. */
  #revision = 0;

  constructor(key: string, lease: string, request?: string) {
    this.key = key;
    this.lease = lease;
    this.request = request;
  }

  /** Whether the caller has chosen the idempotency key. Then others may use the record too. */
  get isShared(): boolean {
    return this.request !== undefined;
  }

  /**
   * Executes the first branch whose conditions are met, and puts the record with it.
   *
   * @param path of an in-order key
   * @throws RecordClaimedError, RecordLostError
   */
  async transact(
    tree: V3Tree,
    branches: readonly TxnBranch[],
    otherwise: readonly RequestOp[],
    path: string | undefined,
    call: V3Call,
  ): Promise<TxnResult> {
    return await this.#put(tree, { kind: "applied", path }, branches, otherwise, call);
  }

  /**
   * Puts the record alone. So no attempt is applied afterwards.
   *
   * @throws RecordClaimedError, RecordLostError
   */
  async claim(tree: V3Tree, outcome: WriteOutcome, call: V3Call): Promise<void> {
    await this.#put(tree, outcome, [{ if: [], do: [] }], [], call);
  }

  /** @throws RecordClaimedError, RecordLostError */
  async check(tree: V3Tree, call: V3Call): Promise<void> {
    const result = await tree.transact([], [read(this.key)], { ...call, safety: "read" });
    this.#check(result.results[0]?.kvs[0], result);
  }

  /** @throws RecordLostError */
  async checkLease(leases: Leases, call: V3Call): Promise<void> {
    if (!(await leases.exists(this.lease, call))) throw new RecordLostError();
  }

  /** The next attempt requires that the record is as it was put at this revision. */
  continueFrom(revision: number): void {
    this.#revision = revision;
  }

  async #put(
    tree: V3Tree,
    outcome: WriteOutcome,
    branches: readonly TxnBranch[],
    otherwise: readonly RequestOp[],
    call: V3Call,
  ): Promise<TxnResult> {
    const isUnclaimed = isAtRevision(this.key, this.#revision);
    const value = encodeIdempotencyRecord({ request: this.request, outcome });
    const put = putWithoutPrevious(this.key, value, this.lease);
    const recorded = branches.map((branch) => ({
      if: [isUnclaimed, ...branch.if],
      do: [...branch.do, put],
    }));
    const result = await tree.transact(recorded, [read(this.key), ...otherwise], call);
    if (result.branch !== undefined) {
      this.#revision = result.header.revision;
      return result;
    }
    const [found, ...results] = result.results;
    this.#check(found?.kvs[0], result);
    return { ...result, results };
  }

  #check(found: KeyValue | undefined, source: ResponseSource): void {
    if ((found?.mod_revision ?? 0) === this.#revision) return;
    throw found === undefined ? new RecordLostError() : new RecordClaimedError(found, source);
  }
}
