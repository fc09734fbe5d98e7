import { AbortError } from "../../../errors/abort-error.js";
import { OutcomeUnknownError } from "../../../errors/cluster-errors.js";
import { UnauthorizedError } from "../../../errors/common-errors.js";
import { serverErrorOf } from "../../../errors/error-table.js";
import { EtcdError } from "../../../errors/etcd-error.js";
import { OptionError } from "../../../errors/option-error.js";
import { EtcdServerError } from "../../../errors/server-error.js";
import { refusalIn, refusalReasonOf } from "../../../etcd3/error-messages.js";
import type { V3Call } from "../../../etcd3/v3-api.js";
import { isRemoval } from "../../../model/actions.js";
import { operationOf } from "../../../model/key-request.js";
import { pathOf } from "../../shared/path.js";
import { type RepeatableWrite, SettledError, settle } from "../../shared/settle.js";
import { StoreError } from "../../shared/store-error.js";
import { decodeIdempotencyRecord, type WriteOutcome } from "../schema/idempotency-record.js";
import type { RequestLimits } from "../schema/request-limits.js";
import type { IndexOffset } from "../schema/v3-tree.js";
import { readAppliedWrite } from "./applied-write.js";
import type { WriteRequest } from "./txn-plan.js";
import { V3Writer, type WriteContext, type WriteResult } from "./v3-writer.js";
import { RecordClaimedError, type WriteRecord } from "./write-record.js";
import type { ResponseSource } from "./write-response.js";

/** How a write with an idempotency record is executed. */
export interface RecordedWrite {
  readonly context: WriteContext;
  readonly request: WriteRequest;
  readonly indexOffset: IndexOffset;
  readonly limits: RequestLimits;
  readonly record: WriteRecord;
}

/**
 * Executes a write that leaves an idempotency record, until it is certain whether it was applied.
 * See "Writes that are applied at most once" in docs/v3.md.
 */
export class RecordedWriter implements RepeatableWrite<WriteResult> {
  readonly operation: string;
  readonly #write: RecordedWrite;
  readonly #writer: V3Writer;
  readonly #call: V3Call;

  /** @throws InvalidFieldError for an impossible path */
  constructor(write: RecordedWrite) {
    const { context, request, indexOffset, limits, record } = write;
    this.operation = operationOf(request);
    this.#write = write;
    const { operation } = this;
    this.#call = { operation, key: request.key, safety: "recorded", scope: "quorum", ...limits };
    this.#writer = new V3Writer(context, request, indexOffset, this.#call, record);
  }

  get record(): WriteRecord {
    return this.#write.record;
  }

  /** @throws OutcomeUnknownError if the cluster did not say in time whether the write was applied */
  async run(): Promise<WriteResult> {
    const { context, limits } = this.#write;
    const { deadline, signal } = limits;
    const options = { clock: context.tree.clock, deadline, signal };
    return await this.#writer.run(() => settle(this, options));
  }

  async attempt(isRepeated: boolean): Promise<WriteResult> {
    for (;;) {
      try {
        return await this.#writer.attempt();
      } catch (error) {
        const refusal = refusalIn(error);
        if (refusal !== undefined && refusalReasonOf(refusal) === "no-space") {
          return await this.#attemptWithoutSpace(refusal, isRepeated);
        }
        if (error instanceof UnauthorizedError) throw this.#withAdvice(error);
        if (!(error instanceof RecordClaimedError)) throw error;
        const applied = await this.#resultOf(error);
        if (applied !== undefined) return applied;
      }
    }
  }

  mustFence(refusal: unknown): boolean {
    return this.#write.record.isShared && isRefusal(refusal);
  }

  async fence(refusal: unknown): Promise<WriteResult | undefined> {
    const { context, record } = this.#write;
    const isFinal = record.isShared && isRefusal(refusal);
    const outcome: WriteOutcome = isFinal
      ? { kind: "refused", errorCode: refusal.errorCode, cause: refusal.detail }
      : { kind: "abandoned" };
    try {
      await record.claim(context.tree, outcome, this.#call);
      return undefined;
    } catch (error) {
      if (refusalReasonOf(error) === "no-space") {
        const applied = await this.#findApplied();
        if (applied !== undefined) return applied;
        throw refusalIn(error);
      }
      if (!(error instanceof RecordClaimedError)) throw error;
      return await this.#resultOf(error);
    }
  }

  /**
   * A transaction that exceeds etcd's quota may have been applied nevertheless. Without space there
   * can be no record, so a removal, which makes space, is then sent without one.
   */
  async #attemptWithoutSpace(refusal: unknown, isRepeated: boolean): Promise<WriteResult> {
    const { context, request, indexOffset, record } = this.#write;
    const applied = await this.#findApplied();
    if (applied !== undefined) return applied;
    if (isRepeated || record.isShared || !isRemoval(request.action)) throw refusal;
    try {
      const call: V3Call = { ...this.#call, safety: "write" };
      return await new V3Writer(context, request, indexOffset, call).run();
    } catch (error) {
      throw new SettledError(error);
    }
  }

  async #findApplied(): Promise<WriteResult | undefined> {
    const { context, record } = this.#write;
    try {
      await record.check(context.tree, this.#call);
      return undefined;
    } catch (error) {
      if (!(error instanceof RecordClaimedError)) throw error;
      return await this.#resultOf(error);
    }
  }

  /**
   * The result of the attempt that has put the record; `undefined` if all attempts before were
   * abandoned.
   *
   * @throws SettledError when the write was refused, or the record belongs to another request
   */
  async #resultOf({ record: kv, source }: RecordClaimedError): Promise<WriteResult | undefined> {
    const { record } = this.#write;
    const { request, outcome } = decodeIdempotencyRecord(kv);
    if (request !== record.request) throw new SettledError(reusedKeyError());
    const at: ResponseSource = {
      ...source,
      header: { ...source.header, revision: kv.mod_revision },
    };
    if (outcome.kind === "refused") throw new SettledError(this.#refusalOf(outcome, at));
    const result = outcome.kind === "applied" ? await this.#appliedAt(at, outcome.path) : undefined;
    // Only now: a repeated attempt must still find the record.
    record.continueFrom(kv.mod_revision);
    return result;
  }

  #refusalOf({ errorCode, cause }: RefusedOutcome, at: ResponseSource): unknown {
    const { context, request, indexOffset } = this.#write;
    const refusal = new StoreError(errorCode, cause);
    return context.tree.toServerError(refusal, request, at, indexOffset.offset);
  }

  /** Until the history is read, the caller must not believe that nothing was written. */
  async #appliedAt(at: ResponseSource, recordedPath: string | undefined): Promise<WriteResult> {
    const { context, request } = this.#write;
    const { tree } = context;
    const path = recordedPath ?? pathOf(request.key);
    try {
      const applied = await readAppliedWrite(path, at.header.revision, request, tree, this.#call);
      return this.#writer.finishApplied(path, applied, at);
    } catch (error) {
      const { operation } = this;
      if (error instanceof AbortError) throw new AbortError(operation, error.cause, "unknown");
      if (!(error instanceof EtcdError)) throw error;
      throw new OutcomeUnknownError(operation, at.endpoint, error);
    }
  }

  #withAdvice(error: UnauthorizedError): EtcdServerError {
    const { context, record } = this.#write;
    const option = record.isShared ? "idempotencyKey" : 'retryUnknownWrites: "safe"';
    const range = JSON.stringify(context.tree.schema.idempotency);
    const advice = `${option} also needs permission to read and write the keys that begin with ${range}`;
    const { errorCode, reason, detail, index, status, operation, endpoint, clusterId } = error;
    return serverErrorOf({
      ...{ errorCode, reason, index, status, key: error.key, operation, endpoint, clusterId },
      detail: `${detail}; ${advice}`,
    });
  }
}

type RefusedOutcome = Extract<WriteOutcome, { readonly kind: "refused" }>;

/** Whether the tree does not allow the write. */
function isRefusal(error: unknown): error is EtcdServerError {
  return error instanceof EtcdServerError && error.errorCode < 110;
}

function reusedKeyError(): OptionError {
  return new OptionError(
    "idempotencyKey",
    "was already used for another request, so this one was not carried out",
    "use a new key for each write, and the same key only to repeat the same write",
  );
}
