import { AbortError } from "../../../errors/abort-error.js";
import { ClusterUnavailableError } from "../../../errors/cluster-errors.js";
import { EtcdServerError } from "../../../errors/server-error.js";
import { refusalReasonOf } from "../../../etcd3/error-messages.js";
import type { RequestOp } from "../../../etcd3/rpcs.js";
import { NO_LEASE, read } from "../../../etcd3/transaction.js";
import type { TxnResult } from "../../../etcd3/txn-result.js";
import type { V3Call } from "../../../etcd3/v3-api.js";
import { isRemoval } from "../../../model/actions.js";
import type { EtcdResponse } from "../../../model/response.js";
import { sleep } from "../../../time/sleep.js";
import { inOrderName, parentPath, pathOf } from "../../shared/path.js";
import { isRevisionGone } from "../read/revision-gone.js";
import { checkPath } from "../schema/check-path.js";
import { levelsOf, MAX_V3_LEVELS } from "../schema/key-schema.js";
import { earlierLease, isFileLease } from "../schema/lease-id.js";
import type { Leases } from "../schema/leases.js";
import { pathSnapshotReads, readPathSnapshot } from "../schema/path-snapshot.js";
import type { IndexOffset, V3Tree } from "../schema/v3-tree.js";
import type { AppliedWrite } from "./applied-write.js";
import {
  type Assumptions,
  cachedAssumptions,
  noAssumptions,
  snapshotAssumptions,
} from "./assumptions.js";
import { checkAllowed, needsParentCheck, refuseAt } from "./check-allowed.js";
import type { KnownLeases } from "./known-leases.js";
import {
  plansOf,
  type TxnPlan,
  type WriteIntent,
  type WriteRequest,
  withoutPuts,
} from "./txn-plan.js";
import { WriteLease } from "./write-lease.js";
import type { WriteRecord } from "./write-record.js";
import {
  changeBy,
  type NodeChange,
  previousDirectoryLease,
  type ResponseSource,
  responseOf,
  type Written,
} from "./write-response.js";

/** State shared by all writes. */
export interface WriteContext {
  readonly tree: V3Tree;
  readonly leases: Leases;
  readonly directories: KnownLeases;
  /** Files without a TTL of their own. */
  readonly files: KnownLeases;
}

/** Result of a write. */
export interface WriteResult {
  readonly change: NodeChange;
  readonly response: EtcdResponse;
}

/** The index offset has changed: an in-order key would get a wrong name. */
export class OffsetChangedError extends Error {}

/** Maximum number of attempts of a write. */
const MAX_ATTEMPTS = 50;
/** Maximum pause in milliseconds after a conflict. */
const MAX_CONFLICT_DELAY_MS = 200;

/**
 * Maximum number of levels of a path whose directories are created by nested transactions, if the
 * transaction has more than one operation for the node: etcd counts the operations of all levels.
 */
const MAX_ASSUMED_LEVELS = MAX_V3_LEVELS - 3;

/** Length in characters above which a value is sent only once, after a read. */
const LARGE_VALUE_CHARS = 32 * 1024;

/** Executes one write: transactions under assumptions about the tree, until one finds them true. */
export class V3Writer {
  readonly #context: WriteContext;
  readonly #request: WriteRequest;
  readonly #offset: number;
  /** Revision at which the offset was written. */
  readonly #offsetAt: number;
  readonly #call: V3Call;
  /** Path of the request; for an in-order key, of its directory. */
  readonly #path: string;
  readonly #ttl: WriteLease;
  readonly #record: WriteRecord | undefined;
  /** Whether the transaction has an action record, if it needs one. */
  #isRecorded = true;

  /**
   * @param call how to send the transactions
   * @param record the idempotency record that every transaction requires and puts
   * @throws InvalidFieldError for an impossible path
   */
  constructor(
    context: WriteContext,
    request: WriteRequest,
    { offset, writtenAt }: IndexOffset,
    call: V3Call,
    record?: WriteRecord,
  ) {
    this.#context = context;
    this.#request = request;
    this.#offset = offset;
    this.#offsetAt = writtenAt;
    this.#path = pathOf(request.key);
    this.#record = record;
    this.#call = call;
    checkPath(this.#nodePath(0), this.#call);
    this.#ttl = new WriteLease(context.leases, request, this.#call);
  }

  /**
   * Executes the write through one or more calls of {@link attempt}.
   *
   * @throws EtcdServerError, OutcomeUnknownError, ClusterUnavailableError after too many races
   */
  async run(attempts: () => Promise<WriteResult> = () => this.attempt()): Promise<WriteResult> {
    try {
      return await attempts();
    } catch (error) {
      if (error instanceof EtcdServerError) this.#ttl.release();
      // Aborted between two transactions; the first one has written nothing.
      if (!(error instanceof AbortError) || error.outcome !== "none") throw error;
      throw new AbortError(this.#call.operation, error.cause, "not-sent");
    }
  }

  /**
   * @throws RecordClaimedError when the idempotency record has been put
   * @throws RecordLostError when its lease has ended
   */
  async attempt(): Promise<WriteResult> {
    const rewriteResult = await this.#putExisting();
    if (rewriteResult !== undefined) return rewriteResult;
    let assumptions = this.#assumed();
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      await this.#pause(attempt);
      assumptions ??= await this.#readSnapshot();
      const result = await this.#try(assumptions);
      if (result === "not-applicable") assumptions = undefined;
      else if (result !== "conflict") return result;
    }
    throw this.#tooManyConflicts();
  }

  /**
   * Executes a plain set of a known file with a single put, which fails if the file is gone. The
   * file keeps its lease, so its ancestors do not matter. If another client has given the file a
   * TTL of its own, the put has kept that lease: then set the file again, which removes the TTL.
   */
  async #putExisting(): Promise<WriteResult | undefined> {
    const { files, tree } = this.#context;
    const value = plainValueOf(this.#request);
    const lease = value === undefined ? undefined : files.of(this.#path);
    if (value === undefined || lease === undefined || this.#record !== undefined) return undefined;
    const file = tree.schema.file(this.#path);
    const response = await tree.putExisting(file, value, this.#call);
    const previous = response?.results[0]?.kvs[0];
    if (response === undefined || previous?.lease !== lease) {
      files.forget(this.#path);
      return undefined;
    }
    const change: NodeChange = { node: "file", replaces: "file", kind: "changed", previous };
    this.#finishLeases(this.#path, change, lease);
    const written = { request: this.#request, path: this.#path, ttlLease: NO_LEASE, lease };
    return { change, response: this.#responseOf(written, change, response) };
  }

  /** The first assumptions; `undefined` where they would probably be wrong. */
  #assumed(): Assumptions | undefined {
    const { action } = this.#request;
    const isDirectoryRequest = "dir" in this.#request && this.#request.dir === true;
    if ((action === "delete" && !this.#request.recursive) || action === "update") {
      if (isDirectoryRequest) return undefined;
    }
    if (this.#path === "" && !this.#isInOrder) return undefined;
    if (isLarge(this.#request)) return undefined;
    const { directories, tree } = this.#context;
    const path = this.#nodePath(0);
    const hasRoom = this.#record === undefined && !isDirectoryRequest && !this.#isInOrder;
    if (!hasRoom && levelsOf(path) > MAX_ASSUMED_LEVELS) return undefined;
    const lease = directories.of(parentPath(path));
    const isAtTop = parentPath(path) === "";
    return lease === undefined && !isAtTop
      ? noAssumptions(path, tree.schema)
      : cachedAssumptions(path, lease ?? NO_LEASE, tree.schema);
  }

  /** @throws EtcdServerError when the tree does not allow the write */
  async #readSnapshot(): Promise<Assumptions> {
    const { tree } = this.#context;
    // For an in-order key, a path that cannot exist yet.
    const path = this.#nodePath(Number.MAX_SAFE_INTEGER - this.#offset);
    const call: V3Call = { ...this.#call, safety: "read" };
    const response = await tree.read(pathSnapshotReads(path, tree.schema), call);
    const seen = readPathSnapshot(path, response.results);
    const snapshot = needsParentCheck(seen, this.#request)
      ? await tree.readImpliedParents(seen, response.header.revision, call)
      : seen;
    this.#refuse(response, () => checkAllowed(snapshot, this.#request, this.#offset));
    const assumptions = snapshotAssumptions(snapshot, tree.schema);
    this.#rememberParent(path, assumptions, snapshot.ancestors.at(-1)?.marker !== undefined);
    return assumptions;
  }

  async #try(assumptions: Assumptions): Promise<WriteResult | "not-applicable" | "conflict"> {
    const number = this.#isInOrder ? this.#context.tree.revision + 1 : undefined;
    const own = await this.#ttl.leaseFor(assumptions);
    const intent = this.#intentOf(assumptions, own, earlierLease(own, assumptions.lease), number);
    const plans = plansOf(intent);
    try {
      const response = await this.#transact(intent, plans);
      const plan = plans[response.branch ?? plans.length];
      if (plan === undefined) return this.#checkRefusal(intent, response);
      return this.#finish(intent, changeBy(intent, plan, response), response);
    } catch (error) {
      // The revision that names an in-order key. The snapshot has a newer one.
      if (isRevisionGone(error)) return "not-applicable";
      if (refusalReasonOf(error) !== "lease-not-found") throw error;
      await this.#record?.checkLease(this.#context.leases, this.#call);
      this.#ttl.forget();
      return "not-applicable";
    }
  }

  /**
   * Without space etcd accepts no put, and so no action record: then a removal is sent without it.
   */
  async #transact(intent: WriteIntent, plans: readonly TxnPlan[]): Promise<TxnResult> {
    const { tree } = this.#context;
    const otherwise = this.#readTarget(intent);
    if (this.#record !== undefined) {
      const path = this.#isInOrder ? intent.path : undefined;
      return await this.#record.transact(tree, plans, otherwise, path, this.#call);
    }
    try {
      return await tree.transact(plans, otherwise, this.#call);
    } catch (error) {
      if (!isRemoval(this.#request.action) || refusalReasonOf(error) !== "no-space") throw error;
      this.#isRecorded = false;
      return await tree.transact(plans.map(withoutPuts), otherwise, this.#call);
    }
  }

  #intentOf(assumptions: Assumptions, own: string, lease: string, number?: number): WriteIntent {
    return {
      request: this.#request,
      path: number === undefined ? this.#path : this.#nodePath(number),
      assumptions,
      schema: this.#context.tree.schema,
      offset: this.#offset,
      offsetAt: this.#offsetAt,
      ttlLease: own,
      lease,
      nameRevision: number,
    };
  }

  get #isInOrder(): boolean {
    return this.#request.action === "create" && this.#request.inOrder === true;
  }

  #nodePath(revision: number): string {
    if (!this.#isInOrder) return this.#path;
    return `${this.#path}/${inOrderName(revision + this.#offset)}`;
  }

  /** The reads when no plan applies: often they already show the error. */
  #readTarget({ path, schema }: WriteIntent): readonly RequestOp[] {
    const target = [read(schema.file(path)), read(schema.marker(path))];
    if (!this.#isInOrder) return target;
    return [...target, read(schema.order(this.#path)), read(schema.offset)];
  }

  #checkRefusal(
    { path, nameRevision: number = 0 }: WriteIntent,
    response: TxnResult,
  ): "not-applicable" | "conflict" {
    const [file, marker, order, offset] = response.results.map(({ kvs }) => kvs[0]);
    if (this.#isInOrder && (offset?.mod_revision ?? 0) !== this.#offsetAt) {
      throw new OffsetChangedError();
    }
    if (order !== undefined && order.mod_revision >= number) return "conflict";
    const target = { path, file, marker, firstKeyBelow: undefined };
    this.#refuse(response, () => refuseAt(target, this.#request, this.#offset));
    return "not-applicable";
  }

  #refuse(response: TxnResult, check: () => void): void {
    try {
      check();
    } catch (error) {
      throw this.#context.tree.toServerError(error, this.#request, response, this.#offset);
    }
  }

  #finish(intent: WriteIntent, change: NodeChange, response: TxnResult): WriteResult {
    const { path, assumptions, lease } = intent;
    if (change.kind === "created") this.#rememberParent(path, assumptions, true);
    this.#finishLeases(path, change, lease);
    return { change, response: this.#responseOf(intent, change, response) };
  }

  /** The result of an earlier attempt, or of another process with the same idempotency key. */
  finishApplied(path: string, applied: AppliedWrite, response: ResponseSource): WriteResult {
    const { change, lease = NO_LEASE, ttlLease } = applied;
    // If the history is gone, it is unknown which lease the node is attached to.
    if (applied.lease !== undefined) this.#finishLeases(path, change, lease);
    const written = { request: this.#request, path, ttlLease, lease };
    return { change, response: this.#responseOf(written, change, response) };
  }

  #finishLeases(path: string, change: NodeChange, lease: string): void {
    this.#remember(path, change, lease);
    this.#ttl.release(lease);
    if (this.#isRecorded) this.#revokePrevious(change, lease);
  }

  #responseOf(written: Written, change: NodeChange, response: ResponseSource): EtcdResponse {
    return responseOf(written, change, response, this.#context.tree.view(this.#offset));
  }

  /**
   * Revokes the node's previous leases. Not called after a removal without a record: watches would
   * report it as an expiry.
   */
  #revokePrevious(change: NodeChange, lease: string): void {
    const { leases } = this.#context;
    const previous = change.previous?.lease ?? NO_LEASE;
    if (previous !== lease && isFileLease(previous)) leases.revoke(previous);
    if (change.kind !== "removed") return;
    // All nodes attached to it are gone, and without its marker no node can join it.
    const directoryLease = previousDirectoryLease(change);
    if (directoryLease !== NO_LEASE) leases.revoke(directoryLease);
  }

  #rememberParent(path: string, { lease }: Assumptions, hasMarker: boolean): void {
    const parent = parentPath(path);
    if (hasMarker && parent !== "") this.#context.directories.set(parent, lease);
  }

  #remember(path: string, { kind, node }: NodeChange, lease: string): void {
    const { files, directories } = this.#context;
    if (node === "directory") directories.forget(path);
    if (kind === "removed" || node === "directory" || isFileLease(lease)) files.forget(path);
    else files.set(path, lease);
  }

  /** The first two attempts are normal: with assumptions, and with a snapshot. */
  async #pause(attempt: number): Promise<void> {
    if (attempt < 2) return;
    const maxPause = Math.min(MAX_CONFLICT_DELAY_MS, 2 ** attempt);
    await sleep(maxPause * Math.random(), this.#context.tree.clock, this.#call.signal);
  }

  #tooManyConflicts(): Error {
    const cause = new Error(
      `gave up after ${MAX_ATTEMPTS} conflicting transactions; nothing was changed`,
    );
    const attempt = {
      endpoint: "the cluster",
      cause,
      when: new Date(this.#context.tree.clock.now()),
    };
    return new ClusterUnavailableError(this.#call.operation, [attempt]);
  }
}

/** The value of a set of a file without a TTL. */
function plainValueOf(request: WriteRequest): string | undefined {
  if (request.action !== "set" || request.refresh || request.ttl !== undefined) return undefined;
  return request.value;
}

/** Each branch contains the value: together they could exceed etcd's limit. */
function isLarge(request: WriteRequest): boolean {
  return request.action === "set" && (request.value?.length ?? 0) > LARGE_VALUE_CHARS;
}
