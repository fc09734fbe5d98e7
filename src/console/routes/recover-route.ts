import { isUtf8 } from "node:buffer";
import type { EtcdClient } from "../../client/etcd-client.js";
import {
  KeyNotFoundError,
  NodeExistError,
  NotDirError,
  NotFileError,
  TestFailedError,
} from "../../errors/common-errors.js";
import { refusalReasonOf } from "../../etcd3/error-messages.js";
import type { KeyValue } from "../../etcd3/rpcs.js";
import { NO_LEASE } from "../../etcd3/transaction.js";
import { forEachConcurrent } from "../../transfer/source/for-each-concurrent.js";
import { ConsoleError, failureOf, indexIn, keyTextIn, readJson } from "../http/json-exchange.js";
import { lineSender, progressPace } from "../http/write-text.js";
import type {
  NotRecovered,
  RecoverCounts,
  RecoverEvent,
  RecoverRequest,
} from "../model/page-types.js";
import { comparePast } from "../past/compare-past.js";
import { PastDirectoryReader } from "../past/keys-at.js";
import type { ConsoleRequest } from "./route.js";
import { remainingTtl } from "./write-routes.js";

const CONCURRENT_WRITES = 16;
/** Keys that a report names. */
const MAX_NAMED = 200;

/**
 * Puts the missing keys of a directory back. A key is created only if it does not exist, and replaced only if it has
 * the value of the comparison, so nothing that others have written is overwritten. Doing it again is harmless.
 */
export async function recover({ session, message, response, signal }: ConsoleRequest) {
  const wanted = requestOf(await readJson(message));
  const reader = new PastDirectoryReader(session, wanted.key, signal);
  const then = await reader.keysAt(wanted.revision);
  const { missing, changed } = comparePast(then, await reader.keysAt(wanted.seen));
  const replaced = new Set(wanted.replace);
  const work = [
    ...missing.map((key) => ({ key, isMissing: true })),
    ...changed.filter((key) => replaced.has(key)).map((key) => ({ key, isMissing: false })),
  ];
  const recovery = new Recovery(session.etcd, reader, wanted, work.length);
  const send = lineSender<RecoverEvent>(response);
  const isDue = progressPace();
  try {
    await forEachConcurrent(work, CONCURRENT_WRITES, async ({ key, isMissing }) => {
      signal.throwIfAborted();
      await (isMissing ? recovery.create(key) : recovery.replace(key));
      if (isDue()) await send({ type: "progress", ...recovery.counts });
    });
    await send({ type: "end", ...recovery.counts, left: recovery.left });
  } catch (error) {
    if (!signal.aborted) {
      const counts = recovery.counts;
      await send({ type: "end", ...counts, left: recovery.left, failure: failureOf(error) });
    }
  }
  response.end();
}

/** The writes of one recovery, and what became of them. */
class Recovery {
  readonly #etcd: EtcdClient;
  readonly #reader: PastDirectoryReader;
  readonly #wanted: RecoverRequest;
  readonly left: NotRecovered[] = [];
  #total: number;
  #created = 0;
  #replaced = 0;
  #taken = 0;

  /** @param total number of keys */
  constructor(
    etcd: EtcdClient,
    reader: PastDirectoryReader,
    wanted: RecoverRequest,
    total: number,
  ) {
    this.#etcd = etcd;
    this.#reader = reader;
    this.#wanted = wanted;
    this.#total = total;
  }

  /** Without keys that had a TTL, unless they are wanted. */
  get counts(): RecoverCounts {
    return {
      ...{ total: this.#total, created: this.#created },
      ...{ replaced: this.#replaced, taken: this.#taken },
    };
  }

  async create(key: string): Promise<void> {
    const { revision, temporary } = this.#wanted;
    const entry = await this.#reader.entryAt(key, revision);
    if (entry !== undefined && entry.lease !== NO_LEASE && !temporary) {
      this.#total--;
      return;
    }
    const value = textOf(entry);
    if (value === undefined) return this.#leave(key, NOT_TEXT);
    try {
      await this.#etcd.execute({ action: "create", key, value });
      this.#created++;
    } catch (error) {
      await this.#refused(key, error);
    }
  }

  async replace(key: string): Promise<void> {
    const { revision, seen } = this.#wanted;
    const value = textOf(await this.#reader.entryAt(key, revision));
    const prevValue = textOf(await this.#reader.entryAt(key, seen));
    if (value === undefined || prevValue === undefined) return this.#leave(key, NOT_TEXT);
    // A condition cannot be an empty value.
    if (prevValue === "") return this.#leave(key, "its value is empty now: use its history");
    try {
      const ttl = await remainingTtl(this.#etcd, key);
      const write = { action: "compareAndSwap", key, value, prevValue } as const;
      await this.#etcd.execute({ ...write, ...(ttl !== undefined && { ttl }) });
      this.#replaced++;
    } catch (error) {
      await this.#refused(key, error);
    }
  }

  /** @throws the error, unless it is about this key alone */
  async #refused(key: string, error: unknown): Promise<void> {
    const isTaken = [NodeExistError, TestFailedError, KeyNotFoundError, NotFileError];
    if (isTaken.some((type) => error instanceof type)) {
      const now = await this.#etcd.getNode(key, { quorum: true, ignoreKeyNotFound: true });
      if (now?.node.dir) return this.#leave(key, "it is a directory now");
      this.#taken++;
      this.#leave(key, "it was written since the comparison");
    } else if (error instanceof NotDirError) {
      this.#leave(key, `${error.detail} is a key now, not a directory`);
    } else if (refusalReasonOf(error) === "too-large") {
      this.#leave(key, "etcd refuses it: it is too large for one request of the v2 key space");
    } else throw error;
  }

  #leave(key: string, reason: string): void {
    if (this.left.length < MAX_NAMED) this.left.push({ key, reason });
  }
}

const NOT_TEXT = "its value is not UTF-8, which the v2 key space cannot write: use etcdctl";

function textOf(entry: KeyValue | undefined): string | undefined {
  return entry !== undefined && isUtf8(entry.value) ? entry.value.toString() : undefined;
}

function requestOf(body: Readonly<Record<string, unknown>>): RecoverRequest {
  const { replace, temporary } = body;
  if (!Array.isArray(replace) || !replace.every((key) => typeof key === "string")) {
    throw new ConsoleError(400, "replace must be a list of keys");
  }
  return {
    ...{
      key: keyTextIn(body),
      revision: indexIn(body, "revision"),
      seen: indexIn(body, "seen"),
    },
    ...{ temporary: temporary === true, replace },
  };
}
