import { AbortError } from "../../../errors/abort-error.js";
import { ClusterUnavailableError } from "../../../errors/cluster-errors.js";
import { EtcdServerError } from "../../../errors/server-error.js";
import { isV3Error, NO_SPACE } from "../../../etcd3/is-v3-error.js";
import { NO_LEASE, type Operation, read } from "../../../etcd3/transaction.js";
import type { TxnResponse } from "../../../etcd3/transaction-answer.js";
import type { V3Call } from "../../../etcd3/v3-api.js";
import { toBase64 } from "../../../etcd3/v3-json.js";
import { methodOf } from "../../../model/key-request.js";
import type { EtcdResponse } from "../../../model/response.js";
import { sleep } from "../../../time/sleep.js";
import type { ExecuteOptions } from "../../key-space.js";
import { inOrderName, parentPath, pathOf } from "../../shared/path.js";
import { checkPath } from "../schema/check-path.js";
import { earlierLease, isFileLease } from "../schema/lease-id.js";
import type { Leases } from "../schema/leases.js";
import { pathSnapshotReads, readPathSnapshot } from "../schema/path-snapshot.js";
import type { IndexScale, V3Tree } from "../schema/v3-tree.js";
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
import { changeBy, type NodeChange, responseOf } from "./write-response.js";

/** What writes share. */
export interface WriteContext {
  readonly tree: V3Tree;
  readonly leases: Leases;
  readonly directories: KnownLeases;
  /** Files without a TTL of their own. */
  readonly files: KnownLeases;
}

/** What a write did. */
export interface WriteResult {
  readonly change: NodeChange;
  readonly response: EtcdResponse;
}

/** The offset of indexes is another one than was known: an in-order key would get a wrong name. */
export class OtherScaleError extends Error {}

/** A write that loses so many races gives up. */
const MAX_ATTEMPTS = 50;
/** Milliseconds of the longest pause after a lost race. */
const MAX_PAUSE_MS = 200;

/** Characters of a value that is sent once, at the price of a look before. */
const LARGE = 32 * 1024;

/** One write: transactions on what is believed of the tree, until one finds it as believed. */
export class V3Writer {
  readonly #context: WriteContext;
  readonly #request: WriteRequest;
  readonly #offset: number;
  /** Revision at which the offset was written. */
  readonly #offsetAt: number;
  readonly #call: V3Call;
  /** The request's path: of an in-order key, that of its directory. */
  readonly #path: string;
  readonly #ttl: WriteLease;

  /** @throws InvalidFieldError for a path that no node can have */
  constructor(
    context: WriteContext,
    request: WriteRequest,
    { offset, writtenAt }: IndexScale,
    limits: ExecuteOptions,
  ) {
    this.#context = context;
    this.#request = request;
    this.#offset = offset;
    this.#offsetAt = writtenAt;
    this.#path = pathOf(request.key);
    const operation = `${methodOf(request)} ${request.key}`;
    this.#call = { operation, key: request.key, safety: "write", scope: "quorum", ...limits };
    checkPath(this.#nodePath(0), this.#call);
    this.#ttl = new WriteLease(context.leases, request, this.#call);
  }

  /** @throws EtcdServerError, OutcomeUnknownError, ClusterUnavailableError after too many races */
  async run(): Promise<WriteResult> {
    try {
      return await this.#run();
    } catch (error) {
      if (error instanceof EtcdServerError) this.#ttl.release();
      // Given up between two transactions, of which the first had found nothing to do.
      if (!(error instanceof AbortError) || error.outcome !== "none") throw error;
      throw new AbortError(this.#call.operation, error.cause, "not-sent");
    }
  }

  async #run(): Promise<WriteResult> {
    const rewritten = await this.#rewrite();
    if (rewritten !== undefined) return rewritten;
    let assumptions = this.#assumed();
    for (let tries = 0; tries < MAX_ATTEMPTS; tries++) {
      await this.#pause(tries);
      assumptions ??= await this.#readSnapshot();
      const written = await this.#try(assumptions);
      if (written === "otherwise") assumptions = undefined;
      else if (written !== "raced") return written;
    }
    throw this.#givenUp();
  }

  /**
   * Carries a plain set of a familiar file out by a mere put, which fails if the file is gone: as
   * it stays on its lease, nothing above it matters. Should somebody have given it a TTL of its own
   * meanwhile, the put has left that on: then it is set once more, which takes the TTL away.
   */
  async #rewrite(): Promise<WriteResult | undefined> {
    const { files, tree } = this.#context;
    const value = plainValueOf(this.#request);
    const lease = value === undefined ? undefined : files.of(this.#path);
    if (value === undefined || lease === undefined) return undefined;
    const file = tree.schema.file(this.#path);
    const answer = await tree.rewrite(file, toBase64(value), this.#call);
    const former = answer?.answers[0]?.found[0];
    if (answer === undefined || former?.lease !== lease) {
      files.forget(this.#path);
      return undefined;
    }
    const assumptions = cachedAssumptions(this.#path, lease, tree.schema);
    const intent = this.#intend(assumptions, NO_LEASE, lease);
    const change: NodeChange = { node: "file", replaces: "file", kind: "changed", former };
    return this.#finish(intent, change, answer);
  }

  /** What to try first; nothing where that would most likely be in vain. */
  #assumed(): Assumptions | undefined {
    const { action } = this.#request;
    const aboutDirectory = "dir" in this.#request && this.#request.dir === true;
    if ((action === "delete" && !this.#request.recursive) || action === "update") {
      if (aboutDirectory) return undefined;
    }
    if (this.#path === "" && !this.#isInOrder) return undefined;
    if (isLarge(this.#request)) return undefined;
    const { directories, tree } = this.#context;
    const path = this.#nodePath(0);
    const lease = directories.of(parentPath(path));
    const isAtTop = parentPath(path) === "";
    return lease === undefined && !isAtTop
      ? noAssumptions(path, tree.schema)
      : cachedAssumptions(path, lease ?? NO_LEASE, tree.schema);
  }

  /** @throws EtcdServerError when the tree does not allow the write */
  async #readSnapshot(): Promise<Assumptions> {
    const { tree } = this.#context;
    // Of an in-order key, one that nobody can have made meanwhile.
    const path = this.#nodePath(Number.MAX_SAFE_INTEGER - this.#offset);
    const call: V3Call = { ...this.#call, safety: "read" };
    const answer = await tree.read(pathSnapshotReads(path, tree.schema), call);
    const seen = readPathSnapshot(path, answer.answers);
    const snapshot = needsParentCheck(seen, this.#request)
      ? await tree.readImpliedParents(seen, answer.revision, call)
      : seen;
    this.#refuse(answer, () => checkAllowed(snapshot, this.#request, this.#offset));
    const assumptions = snapshotAssumptions(snapshot, tree.schema);
    this.#learn(path, assumptions, snapshot.ancestors.at(-1)?.marker !== undefined);
    return assumptions;
  }

  async #try(assumptions: Assumptions): Promise<WriteResult | "otherwise" | "raced"> {
    const number = this.#isInOrder ? this.#context.tree.revision + 1 : undefined;
    const own = await this.#ttl.on(assumptions);
    const intent = this.#intend(assumptions, own, earlierLease(own, assumptions.lease), number);
    const plans = plansOf(intent);
    try {
      const answer = await this.#transact(plans, this.#readTarget(intent));
      const plan = plans[answer.taken ?? plans.length];
      if (plan === undefined) return this.#judge(intent, answer);
      return this.#finish(intent, changeBy(intent, plan, answer), answer);
    } catch (error) {
      if (!isV3Error(error, "etcdserver: requested lease not found")) throw error;
      this.#ttl.forget();
      return "otherwise";
    }
  }

  /** Without space etcd takes no put, and so no action record: then a removal does without. */
  async #transact(
    plans: readonly TxnPlan[],
    otherwise: readonly Operation[],
  ): Promise<TxnResponse> {
    const { tree } = this.#context;
    try {
      return await tree.transact(plans, otherwise, this.#call);
    } catch (error) {
      if (!isRemoval(this.#request) || !isV3Error(error, NO_SPACE)) throw error;
      return await tree.transact(plans.map(withoutPuts), otherwise, this.#call);
    }
  }

  #intend(assumptions: Assumptions, own: string, lease: string, number?: number): WriteIntent {
    return {
      request: this.#request,
      path: number === undefined ? this.#path : this.#nodePath(number),
      assumptions,
      schema: this.#context.tree.schema,
      offset: this.#offset,
      offsetAt: this.#offsetAt,
      own,
      lease,
      number,
    };
  }

  get #isInOrder(): boolean {
    return this.#request.action === "create" && this.#request.inOrder === true;
  }

  #nodePath(revision: number): string {
    if (!this.#isInOrder) return this.#path;
    return `${this.#path}/${inOrderName(revision + this.#offset)}`;
  }

  /** What is read when no plan holds: often it names the error already. */
  #readTarget({ path, schema }: WriteIntent): readonly Operation[] {
    const target = [read(schema.file(path)), read(schema.marker(path))];
    if (!this.#isInOrder) return target;
    return [...target, read(schema.order(this.#path)), read(schema.offset)];
  }

  #judge({ path, number = 0 }: WriteIntent, answer: TxnResponse): "otherwise" | "raced" {
    const [file, marker, order, offset] = answer.answers.map(({ found }) => found[0]);
    if (this.#isInOrder && (offset?.modRevision ?? 0) !== this.#offsetAt) {
      throw new OtherScaleError();
    }
    if (order !== undefined && order.modRevision >= number) return "raced";
    const target = { path, file, marker, first: undefined };
    this.#refuse(answer, () => refuseAt(target, this.#request, this.#offset));
    return "otherwise";
  }

  #refuse(answer: TxnResponse, check: () => void): void {
    try {
      check();
    } catch (error) {
      throw this.#context.tree.refusal(error, this.#request, answer, this.#offset);
    }
  }

  #finish(intent: WriteIntent, change: NodeChange, answer: TxnResponse): WriteResult {
    const { tree, leases } = this.#context;
    const { path, assumptions, lease } = intent;
    if (change.kind === "made") this.#learn(path, assumptions, true);
    this.#remember(path, change, lease);
    this.#ttl.release(lease);
    const former = change.former?.lease ?? NO_LEASE;
    if (former !== lease && isFileLease(former)) leases.revoke(former);
    return { change, response: responseOf(intent, change, answer, tree.view(this.#offset)) };
  }

  #learn(path: string, { lease }: Assumptions, hasMarker: boolean): void {
    const parent = parentPath(path);
    if (hasMarker && parent !== "") this.#context.directories.learn(parent, lease);
  }

  #remember(path: string, { kind, node }: NodeChange, lease: string): void {
    const { files, directories } = this.#context;
    if (node === "directory") directories.forget(path);
    if (kind === "removed" || node === "directory" || isFileLease(lease)) files.forget(path);
    else files.learn(path, lease);
  }

  /** The first two tries are the normal course: what was believed, and what was found instead. */
  async #pause(tries: number): Promise<void> {
    if (tries < 2) return;
    const longest = Math.min(MAX_PAUSE_MS, 2 ** tries);
    await sleep(longest * Math.random(), this.#context.tree.clock, this.#call.signal);
  }

  #givenUp(): Error {
    const cause = new Error(`others were quicker ${MAX_ATTEMPTS} times; nothing was changed`);
    const attempt = {
      endpoint: "the cluster",
      cause,
      when: new Date(this.#context.tree.clock.now()),
    };
    return new ClusterUnavailableError(this.#call.operation, [attempt]);
  }
}

function isRemoval({ action }: WriteRequest): boolean {
  return action === "delete" || action === "compareAndDelete";
}

/** The value that a set without a TTL gives to a file. */
function plainValueOf(request: WriteRequest): string | undefined {
  if (request.action !== "set" || request.refresh || request.ttl !== undefined) return undefined;
  return request.value;
}

/** Each alternative holds the value: together they could be more than etcd takes. */
function isLarge(request: WriteRequest): boolean {
  return request.action === "set" && (request.value?.length ?? 0) > LARGE;
}
