import { AbortError } from "../../../errors/abort-error.js";
import { OutcomeUnknownError } from "../../../errors/cluster-errors.js";
import { EtcdCommonError } from "../../../errors/server-error.js";
import { refusalReasonOf } from "../../../etcd3/error-messages.js";
import type { V3Call } from "../../../etcd3/v3-api.js";
import { isRemoval } from "../../../model/actions.js";
import { operationOf } from "../../../model/key-request.js";
import type { EtcdResponse } from "../../../model/response.js";
import { pathOf } from "../../shared/path.js";
import { type SettleOptions, settleRepeatable } from "../../shared/settle.js";
import type { Leases } from "../schema/leases.js";
import type { RequestLimits } from "../schema/request-limits.js";
import type { IndexOffset, V3Tree } from "../schema/v3-tree.js";
import { moveDescendants } from "./directory-ttl.js";
import { KeyedMutex } from "./keyed-mutex.js";
import { KnownLeases } from "./known-leases.js";
import { RecordedWriter } from "./recorded-writer.js";
import type { WriteRequest } from "./txn-plan.js";
import { V3Writer, type WriteContext, type WriteResult } from "./v3-writer.js";
import type { WriteRecord } from "./write-record.js";
import { WriteRecords } from "./write-records.js";
import { previousDirectoryLease } from "./write-response.js";

/** How the unknown outcomes of writes are treated. */
export interface WriteSettings {
  /** Whether every write leaves an idempotency record. */
  readonly recordsWrites: boolean;
  /** Timeout of one request with all its calls, in milliseconds. */
  readonly timeout: number;
}

/** The writes of one process to a tree, and what they have in common. */
export class V3Writes {
  readonly #context: WriteContext;
  readonly #settings: WriteSettings;
  readonly #records: WriteRecords;
  /** Creates the in-order keys of a directory one after another. */
  readonly #inOrder = new KeyedMutex();

  constructor(tree: V3Tree, leases: Leases, settings: WriteSettings) {
    const [directories, files] = [new KnownLeases(), new KnownLeases()];
    this.#context = { tree, leases, directories, files };
    this.#settings = settings;
    this.#records = new WriteRecords(tree.schema, leases, tree.clock, settings.timeout);
  }

  /** Forgets everything about the previous store. */
  forget(): void {
    this.#context.directories.clear();
    this.#context.files.clear();
    this.#records.forget();
  }

  /** Forgets the leases of idempotency records, because one has ended. */
  forgetRecords(): void {
    this.#records.forget();
  }

  /** @throws OffsetChangedError, RecordLostError when nothing was written; then try again */
  async execute(
    indexOffset: IndexOffset,
    request: WriteRequest,
    limits: RequestLimits,
  ): Promise<EtcdResponse> {
    const { idempotencyKey } = limits;
    const call = callOf(request, limits);
    const isRecorded = idempotencyKey !== undefined || this.#settings.recordsWrites;
    const record = isRecorded ? await this.#recordFor(request, idempotencyKey, call) : undefined;
    const context = this.#context;
    const writer =
      record === undefined
        ? new V3Writer(context, request, indexOffset, call)
        : new RecordedWriter({ context, request, indexOffset, limits, record });
    const { change, response } = await this.#run(writer, request, call);
    if (change.kind === "changed" && change.node === "directory") {
      const { deadline, signal } = limits;
      const repeat = record !== undefined && { clock: context.tree.clock, deadline, signal };
      await this.#moveDescendants(previousDirectoryLease(change), response, call, repeat);
    }
    return response;
  }

  /**
   * The idempotency record of the write. Without space etcd grants no lease, and a removal, which makes
   * space, is executed without a record.
   */
  async #recordFor(
    request: WriteRequest,
    key: string | undefined,
    call: V3Call,
  ): Promise<WriteRecord | undefined> {
    try {
      return await this.#records.take(key, request, call);
    } catch (error) {
      const mayOmit = key === undefined && isRemoval(request.action);
      if (!mayOmit || refusalReasonOf(error) !== "no-space") throw error;
      return undefined;
    }
  }

  #run(
    writer: V3Writer | RecordedWriter,
    request: WriteRequest,
    { operation, signal }: V3Call,
  ): Promise<WriteResult> {
    if (request.action !== "create" || request.inOrder !== true) return this.#runNow(writer);
    const run = () => this.#runNow(writer);
    const errorOf = (reason: unknown) => new AbortError(operation, reason, "not-sent");
    return this.#inOrder.run(pathOf(request.key), run, { signal, errorOf });
  }

  #runNow(writer: V3Writer | RecordedWriter): Promise<WriteResult> {
    return writer instanceof RecordedWriter ? this.#runRecorded(writer) : writer.run();
  }

  /** After any other error than etcd's own, an attempt may still use the record. */
  async #runRecorded(writer: RecordedWriter): Promise<WriteResult> {
    try {
      const result = await writer.run();
      this.#records.giveBack(writer.record);
      return result;
    } catch (error) {
      if (error instanceof EtcdCommonError) this.#records.giveBack(writer.record);
      throw error;
    }
  }

  /**
   * The directory already has its TTL, so a failure here leaves the call partly done. Each move
   * compares the node, so it can be repeated.
   */
  async #moveDescendants(
    previousLease: string,
    { etcdServer }: EtcdResponse,
    call: V3Call,
    repeat: SettleOptions | false,
  ): Promise<void> {
    const { tree, leases } = this.#context;
    const { operation, key } = call;
    const move = () => moveDescendants(pathOf(key), previousLease, tree, leases, call);
    try {
      await (repeat ? settleRepeatable(operation, move, repeat) : move());
    } catch (error) {
      if (error instanceof AbortError) throw new AbortError(operation, error.cause, "unknown");
      throw error instanceof Error ? new OutcomeUnknownError(operation, etcdServer, error) : error;
    }
  }
}

function callOf(
  request: WriteRequest,
  { signal, attemptTimeout, deadline }: RequestLimits,
): V3Call {
  const operation = operationOf(request);
  const { key } = request;
  return { operation, key, safety: "write", scope: "quorum", signal, attemptTimeout, deadline };
}
