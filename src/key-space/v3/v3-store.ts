import { errorDefinition } from "../../errors/error-table.js";
import { serverErrorOf } from "../../errors/server-error-of.js";
import { type KeyRequest, methodOf } from "../../model/key-request.js";
import type { AnswerOrigin } from "../../model/response.js";
import type { Clock } from "../../time/clock.js";
import { StoreError } from "../store-error.js";
import type { KeyLayout } from "./key-layout.js";
import { refusedAs } from "./refused-as.js";
import { textOf, type View } from "./shown-node.js";
import { type Survey, walkOf, withWalk } from "./survey.js";
import {
  type Alternative,
  atRevision,
  firstOf,
  isAbsent,
  isAtRevision,
  MOST_OPERATIONS,
  type Operation,
  putRecord,
  type Read,
  read,
} from "./transaction.js";
import {
  type KeyValue,
  readPut,
  readTransaction,
  type TransactionAnswer,
} from "./transaction-answer.js";
import type { V3Api, V3Call } from "./v3-api.js";
import { toBase64 } from "./v3-json.js";

/** Changes that the source of a migration may see before its target must know of them. */
const OFFSET_MARGIN = 1_000_000;

/** Transactions on one tree in v3's key space, with revisions as v2's indexes. */
export class V3Store {
  readonly api: V3Api;
  readonly layout: KeyLayout;
  readonly clock: Clock;
  /** Newest revision that this process knows of. */
  #revision = 0;
  #offset: Promise<number> | undefined;
  #knownOffset: number | undefined;

  constructor(api: V3Api, layout: KeyLayout, clock: Clock) {
    this.api = api;
    this.layout = layout;
    this.clock = clock;
  }

  get revision(): number {
    return this.#revision;
  }

  /** Newest index that an answer has shown. */
  get newestIndex(): number {
    return this.#revision + (this.#knownOffset ?? 0);
  }

  /**
   * What is added to revisions to get indexes. Asked for once, of the cluster's agreement; a read
   * of a member's own state need not wait for that, as there may be none.
   */
  async offset(scope: V3Call["scope"], attemptTimeout?: number): Promise<number> {
    if (this.#knownOffset !== undefined) return this.#knownOffset;
    const agreed = this.#agreedOffset(attemptTimeout);
    if (scope === "quorum") return await agreed;
    agreed.catch(() => {});
    return await this.#readOffset("local", attemptTimeout);
  }

  /**
   * Makes the offset at least so great, if it is not, with `OFFSET_MARGIN` to spare: then no index
   * up to that is ever told here, and a watch from it learns that it must read anew.
   */
  async raiseOffset(least: number, signal: AbortSignal | undefined): Promise<void> {
    const operation = "raise the index offset";
    const call: V3Call = { operation, key: "/", safety: "write", scope: "quorum", signal };
    const { offset: key } = this.layout;
    for (;;) {
      const { answers } = await this.transact([], [read(key)], { ...call, safety: "read" });
      const record = answers[0]?.found[0];
      const offset = offsetIn(record);
      this.#knownOffset = offset;
      if (offset >= least) return;
      const raise = putRecord(key, toBase64(String(least + OFFSET_MARGIN)));
      const unchanged =
        record === undefined ? isAbsent(key) : isAtRevision(key, record.modRevision);
      await this.transact([{ if: [unchanged], do: [raise] }], [], call);
    }
  }

  /** Carries out the first alternative that holds, else `otherwise`, which only reads. */
  async transact(
    alternatives: readonly Alternative[],
    otherwise: readonly Operation[],
    call: V3Call,
  ): Promise<TransactionAnswer> {
    const answer = await this.api.call("kv/txn", firstOf(alternatives, otherwise), call);
    return this.#seen(readTransaction(answer, alternatives.length));
  }

  /**
   * Gives a key that exists another value and leaves it on its lease: the shortest write that etcd
   * knows. Answers as a transaction does; nothing when there is no such key.
   */
  async rewrite(key: string, value: string, call: V3Call): Promise<TransactionAnswer | undefined> {
    const put = { key, value, ignore_lease: true, prev_kv: true };
    try {
      return this.#seen(readPut(await this.api.call("kv/put", put, call)));
    } catch (error) {
      if (!refusedAs(error, "etcdserver: key not found")) throw error;
      return undefined;
    }
  }

  /** Reads at one revision, in several transactions if it is too much for one. */
  async read(operations: readonly Read[], call: V3Call): Promise<TransactionAnswer> {
    const first = await this.transact([], operations.slice(0, MOST_OPERATIONS), call);
    const rest = operations.slice(MOST_OPERATIONS);
    if (rest.length === 0) return first;
    const pinned = rest.map((operation) => atRevision(operation, first.revision));
    const { answers } = await this.read(pinned, call);
    return { ...first, answers: [...first.answers, ...answers] };
  }

  /** Completes a survey of that revision by the directories that are implied. */
  async walk(survey: Survey, revision: number, call: V3Call, options = {}): Promise<Survey> {
    const reads = walkOf(survey, this.layout, { ...options, revision: String(revision) });
    if (reads.length === 0) return survey;
    return withWalk(survey, (await this.read(reads, call)).answers);
  }

  view(offset: number): View {
    return { offset, now: this.clock.now() };
  }

  /** The error of v2 for what the store does not carry out; other errors as they are. */
  refusal(error: unknown, request: KeyRequest, at: TransactionAnswer, offset: number): unknown {
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

  #seen(answer: TransactionAnswer): TransactionAnswer {
    this.#revision = Math.max(this.#revision, answer.revision);
    return answer;
  }

  async #agreedOffset(attemptTimeout?: number): Promise<number> {
    this.#offset ??= this.#readOffset("quorum", attemptTimeout);
    try {
      this.#knownOffset = await this.#offset;
      return this.#knownOffset;
    } catch (error) {
      this.#offset = undefined;
      throw error;
    }
  }

  async #readOffset(scope: V3Call["scope"], attemptTimeout?: number): Promise<number> {
    const operation = "GET of the index offset (once, before anything else)";
    const call: V3Call = { operation, key: "/", safety: "read", scope, attemptTimeout };
    const options = scope === "local" ? { serializable: true } : {};
    const { answers } = await this.transact([], [read(this.layout.offset, options)], call);
    return offsetIn(answers[0]?.found[0]);
  }
}

function offsetIn(record: KeyValue | undefined): number {
  const offset = record === undefined ? 0 : Number(textOf(record.value));
  if (Number.isSafeInteger(offset) && offset >= 0) return offset;
  throw new TypeError(`the index offset is no index; write a decimal number or delete it`);
}

/**
 * How an answer of v2 tells where it came from. v3 does not tell raft's index: the index of the key
 * space stands for it, as clients expect one that rises.
 */
export function originOf(
  at: Pick<TransactionAnswer, "endpoint" | "clusterId" | "revision" | "raftTerm">,
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
