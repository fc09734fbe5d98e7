import { traceDamage } from "../../../cluster/exchange/tracing.js";
import { UnauthorizedError } from "../../../errors/common-errors.js";
import { errorDefinition } from "../../../errors/error-table.js";
import { serverErrorOf } from "../../../errors/server-error-of.js";
import { DamagedRecordError } from "../../../errors/v3-errors.js";
import { isV3Error, NO_SPACE } from "../../../etcd3/is-v3-error.js";
import {
  atRevision,
  firstOf,
  isAbsent,
  isAtRevision,
  type Operation,
  putRecord,
  type Read,
  read,
  type TxnBranch,
} from "../../../etcd3/transaction.js";
import {
  type KeyValue,
  type OperationResponse,
  readPut,
  readTransaction,
  type TxnResponse,
} from "../../../etcd3/transaction-answer.js";
import { halfOf, TransactionSize } from "../../../etcd3/transaction-size.js";
import type { V3Api, V3Call } from "../../../etcd3/v3-api.js";
import { fromBase64, toBase64 } from "../../../etcd3/v3-json.js";
import { type KeyRequest, methodOf } from "../../../model/key-request.js";
import type { AnswerOrigin } from "../../../model/response.js";
import type { Clock } from "../../../time/clock.js";
import { StoreError } from "../../shared/store-error.js";
import type { KeySchema } from "./key-schema.js";
import { type NodeView, textOf } from "./node-view.js";
import { impliedParentsOf, type PathSnapshot, withImpliedParents } from "./path-snapshot.js";
import { TreeRegistry } from "./tree-registry.js";

/** Changes that the source of a migration may see before its target must know of them. */
const OFFSET_MARGIN = 1_000_000;

/** How revisions become indexes. */
export interface IndexScale {
  /** What is added to a revision. */
  readonly offset: number;
  /** First index that has a meaning: those before the offset was written were never shown. */
  readonly firstIndex: number;
  /** Revision at which the offset was written; 0 where there is none. */
  readonly writtenAt: number;
}

/** Milliseconds after which the offset is read again: another process may have raised it. */
const SCALE_VALIDITY = 30_000;

/** Transactions on one tree in v3's key space, with revisions as v2's indexes. */
export class V3Tree {
  readonly api: V3Api;
  readonly schema: KeySchema;
  readonly clock: Clock;
  readonly size = new TransactionSize();
  /** Newest revision that this process knows of. */
  #revision = 0;
  #scale: Promise<IndexScale> | undefined;
  #knownScale: IndexScale | undefined;
  /** Monotonic moment at which the scale was read. */
  #scaleReadAt = 0;
  #rereading: Promise<IndexScale> | undefined;
  readonly #onScaleChange: () => void;
  #trees: TreeRegistry;
  #registering: Promise<void> | undefined;

  /** @param onScaleChange called when another offset is found than was used until then */
  constructor(api: V3Api, schema: KeySchema, clock: Clock, onScaleChange = (): void => {}) {
    this.api = api;
    this.schema = schema;
    this.clock = clock;
    this.#onScaleChange = onScaleChange;
    this.#trees = new TreeRegistry(schema);
  }

  /** Another store has taken the place of the one that this is known of. */
  forget(): void {
    this.#revision = 0;
    this.#scale = undefined;
    this.#knownScale = undefined;
    this.#trees = new TreeRegistry(this.schema);
    this.#registering = undefined;
  }

  get revision(): number {
    return this.#revision;
  }

  /** Newest index that an answer has shown. */
  get newestIndex(): number {
    return this.#revision + (this.#knownScale?.offset ?? 0);
  }

  /**
   * How revisions become indexes. Asked for now and then, of the cluster's agreement; a read of a
   * member's own state need not wait for that, as there may be none.
   */
  async scale(scope: V3Call["scope"], attemptTimeout?: number): Promise<IndexScale> {
    const known = this.#knownScale;
    if (known !== undefined) {
      if (this.clock.monotonic() - this.#scaleReadAt <= SCALE_VALIDITY) return known;
      this.#rereading ??= this.#rereadScale(known).finally(() => {
        this.#rereading = undefined;
      });
      return scope === "quorum" ? await this.#rereading : known;
    }
    const agreed = this.#agreedScale(attemptTimeout);
    if (scope === "quorum") return await agreed;
    agreed.catch(() => {});
    return await this.#readScale("local", attemptTimeout);
  }

  /**
   * Puts the tree on record before the first write, so that no other is opened above or below it.
   *
   * @throws NestedPrefixError
   */
  async register(): Promise<void> {
    if (!this.#trees.isPending) return;
    this.#registering ??= this.#register().finally(() => {
      this.#registering = undefined;
    });
    await this.#registering;
  }

  /**
   * Makes the offset at least so great, if it is not, with `OFFSET_MARGIN` to spare: then no index
   * up to that is ever told here, and a watch from it learns that it must read anew.
   */
  async raiseOffset(least: number, signal: AbortSignal | undefined): Promise<void> {
    const operation = "raise the index offset";
    const call: V3Call = { operation, key: "/", safety: "write", scope: "quorum", signal };
    const { offset: key } = this.schema;
    for (;;) {
      const { answers } = await this.transact([], [read(key)], { ...call, safety: "read" });
      const record = answers[0]?.found[0];
      const scale = scaleOf(record, this.schema);
      this.#learn(scale);
      if (scale.offset >= least) return;
      const raise = putRecord(key, toBase64(String(least + OFFSET_MARGIN)));
      const unchanged =
        record === undefined ? isAbsent(key) : isAtRevision(key, record.modRevision);
      await this.transact([{ if: [unchanged], do: [raise] }], [], call);
    }
  }

  /** Carries out the first alternative that holds, else `otherwise`, which only reads. */
  async transact(
    alternatives: readonly TxnBranch[],
    otherwise: readonly Operation[],
    call: V3Call,
  ): Promise<TxnResponse> {
    const answer = await this.api.call("kv/txn", firstOf(alternatives, otherwise), call);
    return this.#seen(readTransaction(answer, alternatives.length));
  }

  /**
   * Gives a key that exists another value and leaves it on its lease: the shortest write that etcd
   * knows. Answers as a transaction does; nothing when there is no such key.
   */
  async rewrite(key: string, value: string, call: V3Call): Promise<TxnResponse | undefined> {
    const put = { key, value, ignore_lease: true, prev_kv: true };
    try {
      return this.#seen(readPut(await this.api.call("kv/put", put, call)));
    } catch (error) {
      if (!isV3Error(error, "etcdserver: key not found")) throw error;
      return undefined;
    }
  }

  /** Reads at one revision, in several transactions if it is too much for one. */
  async read(
    operations: readonly Read[],
    call: V3Call,
    most = this.size.maxOperations,
  ): Promise<TxnResponse> {
    const part = operations.slice(0, most);
    const rest = operations.slice(most);
    let first: TxnResponse;
    try {
      first = await this.transact([], part, call);
    } catch (error) {
      if (!this.size.isExceeded(error, part.length)) throw error;
      return await this.read(operations, call, halfOf(part.length));
    }
    if (rest.length === 0) return first;
    const pinned = rest.map((operation) => atRevision(operation, first.revision));
    const { answers } = await this.read(pinned, call);
    return { ...first, answers: [...first.answers, ...answers] };
  }

  /** Completes a survey of that revision by the directories that are implied. */
  async readImpliedParents(
    snapshot: PathSnapshot,
    revision: number,
    call: V3Call,
    options = {},
  ): Promise<PathSnapshot> {
    const reads = impliedParentsOf(snapshot, this.schema, {
      ...options,
      revision: String(revision),
    });
    if (reads.length === 0) return snapshot;
    return withImpliedParents(snapshot, (await this.read(reads, call)).answers);
  }

  view(offset: number): NodeView {
    return { offset, now: this.clock.now() };
  }

  /** The error of v2 for what the store does not carry out; other errors as they are. */
  refusal(error: unknown, request: KeyRequest, at: TxnResponse, offset: number): unknown {
    if (!(error instanceof StoreError)) return error;
    return serverErrorOf({
      ...errorDefinition(error.errorCode),
      errorCode: error.errorCode,
      detail: error.detail,
      index: at.revision + offset,
      key: request.key,
      operation: `${methodOf(request)} ${request.key}`,
      endpoint: at.endpoint,
      clusterId: at.clusterId,
    });
  }

  #seen(answer: TxnResponse): TxnResponse {
    this.#revision = Math.max(this.#revision, answer.revision);
    return answer;
  }

  /** The offset was written anew: it is asked for before the next answer. */
  forgetScale(): void {
    this.#scale = undefined;
    this.#knownScale = undefined;
    this.#onScaleChange();
  }

  /** What cannot be read again is used as it is known: the request itself will show what is wrong. */
  async #rereadScale(known: IndexScale): Promise<IndexScale> {
    this.#scale = undefined;
    try {
      return await this.#agreedScale();
    } catch {
      return known;
    }
  }

  #learn(scale: IndexScale): void {
    const isChanged = (this.#knownScale?.writtenAt ?? scale.writtenAt) !== scale.writtenAt;
    this.#knownScale = scale;
    this.#scaleReadAt = this.clock.monotonic();
    if (isChanged) this.#onScaleChange();
  }

  async #agreedScale(attemptTimeout?: number): Promise<IndexScale> {
    this.#scale ??= this.#readScale("quorum", attemptTimeout);
    const asked = this.#scale;
    try {
      const scale = await asked;
      if (this.#scale === asked) this.#learn(scale);
      return scale;
    } catch (error) {
      if (this.#scale === asked) this.#scale = undefined;
      throw error;
    }
  }

  /** Reads, with the offset, which other trees there are: one that overlaps this one is refused. */
  async #readScale(scope: V3Call["scope"], attemptTimeout?: number): Promise<IndexScale> {
    const operation = "GET of the index offset (before anything else)";
    const call: V3Call = { operation, key: "/", safety: "read", scope, attemptTimeout };
    const options = scope === "local" ? { serializable: true } : {};
    const offset = read(this.schema.offset, options);
    const answers = await this.#readWithTrees(offset, this.#trees.reads(options), call);
    return scaleOf(answers[0]?.found[0], this.schema);
  }

  /** Users who may not see which other trees there are do without that check. */
  async #readWithTrees(
    offset: Read,
    trees: readonly Read[],
    call: V3Call,
  ): Promise<readonly OperationResponse[]> {
    try {
      const { answers } = await this.read([offset, ...trees], call);
      this.#trees.take(answers.slice(1));
      return answers;
    } catch (error) {
      if (!(error instanceof UnauthorizedError) || trees.length === 0) throw error;
      const answers = await this.#readWithTrees(offset, [], call);
      this.#trees.hide();
      return answers;
    }
  }

  /** May be repeated, so it is sent like a read. */
  async #register(): Promise<void> {
    const operation = "registration of the key prefix (once, before the first write)";
    const call: V3Call = { operation, key: "/", safety: "read", scope: "quorum" };
    const trees = this.#trees;
    try {
      const { taken, answers } = await this.transact([trees.registration], trees.reads(), call);
      if (taken === undefined) trees.take(answers);
      else trees.registered();
    } catch (error) {
      // The write that waits for this may be a removal, for which no space is needed.
      if (isV3Error(error, NO_SPACE)) return;
      if (!(error instanceof UnauthorizedError)) throw error;
      trees.hide();
    }
  }
}

/** @throws DamagedRecordError */
function scaleOf(record: KeyValue | undefined, { offset: key }: KeySchema): IndexScale {
  if (record === undefined) return { offset: 0, firstIndex: 1, writtenAt: 0 };
  const text = textOf(record.value);
  const offset = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(offset)) {
    const { modRevision: writtenAt } = record;
    return { offset, firstIndex: offset + writtenAt, writtenAt };
  }
  const damaged = new DamagedRecordError(
    fromBase64(key) ?? "",
    "the index offset must be a decimal number; indexes are only comparable if it is the old one",
  );
  traceDamage(damaged);
  throw damaged;
}

/**
 * How an answer of v2 tells where it came from. v3 does not tell raft's index: the index of the key
 * space stands for it, as clients expect one that rises.
 */
export function originOf(
  at: Pick<TxnResponse, "endpoint" | "clusterId" | "revision" | "raftTerm">,
  offset: number,
): AnswerOrigin {
  const index = at.revision + offset;
  return {
    etcdServer: at.endpoint,
    etcdClusterId: at.clusterId,
    etcdIndex: index,
    raftIndex: index,
    raftTerm: at.raftTerm,
  };
}
