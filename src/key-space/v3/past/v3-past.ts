import { errorDefinition, serverErrorOf } from "../../../errors/error-table.js";
import type { EtcdServerError } from "../../../errors/server-error.js";
import { refusalReasonOf } from "../../../etcd3/error-messages.js";
import { read } from "../../../etcd3/transaction.js";
import type { TxnResult } from "../../../etcd3/txn-result.js";
import type { V3Call } from "../../../etcd3/v3-api.js";
import type { GetRequest } from "../../../model/key-request.js";
import type { EtcdNodeResponse } from "../../../model/response.js";
import type { CallOptions } from "../../call-options.js";
import type { HistoryOptions, KeyHistory, PastReads } from "../../past.js";
import { historyCleared } from "../../shared/history-cleared.js";
import { pathOf } from "../../shared/path.js";
import { isRevisionGone } from "../read/revision-gone.js";
import type { V3Reader } from "../read/v3-reader.js";
import { originOf, type V3Tree } from "../schema/v3-tree.js";
import { Compacted, RevisionStream } from "../watch/revision-stream.js";
import { type PathKeys, V3KeyHistory } from "./key-history.js";

/** The state of a path, and the response that has it. */
interface PathAt extends PathKeys {
  readonly at: TxnResult;
}

/** Reads revisions of the past, which etcd holds until they are compacted. Always with quorum: a member may be behind. */
export class V3Past implements PastReads {
  readonly #tree: V3Tree;
  readonly #reader: V3Reader;
  readonly #timeout: number;

  /** @param timeout milliseconds of a read with all its calls */
  constructor(tree: V3Tree, reader: V3Reader, timeout: number) {
    this.#tree = tree;
    this.#reader = reader;
    this.#timeout = timeout;
  }

  async getAt(
    request: GetRequest,
    index: number,
    { signal }: CallOptions = {},
  ): Promise<EtcdNodeResponse> {
    const { offset } = await this.#tree.indexOffset("quorum");
    const revision = index - offset;
    if (revision < 1) throw await this.#refused(request.key, index, offset, signal);
    const deadline = this.#tree.clock.monotonic() + this.#timeout;
    const pinned = { ...request, quorum: true, revision };
    try {
      return await this.#reader.get(pinned, offset, { signal, deadline });
    } catch (error) {
      if (!isRevisionGone(error)) throw error;
      throw await this.#refused(request.key, index, offset, signal);
    }
  }

  async history(
    key: string,
    { signal, recursive = false }: HistoryOptions = {},
  ): Promise<KeyHistory> {
    const call = callOf(`GET ${key} (its history)`, key, signal);
    const path = pathOf(key);
    const { offset } = await this.#tree.indexOffset("quorum");
    for (;;) {
      const now = await this.#keysAt(path, undefined, call);
      const { revision: upTo } = now.at.header;
      const compacted = path === "" && !recursive ? upTo : await this.#compactedRevision(call);
      try {
        const before = compacted === 0 ? NOTHING : await this.#keysAt(path, compacted, call);
        const after = Math.min(compacted, upTo);
        const errorOf = (error: unknown): unknown =>
          error instanceof Compacted || isRevisionGone(error)
            ? historyCleared({ key, waitIndex: after + 1 + offset }, upTo + 1 + offset, {
                ...originOf(now.at, offset),
              })
            : error;
        const opened = { path, recursive, span: { after, upTo }, offset, before, now };
        return new V3KeyHistory(this.#tree, opened, call, errorOf);
      } catch (error) {
        if (refusalReasonOf(error) !== "compacted") throw error;
      }
    }
  }

  /** The error for an index that cannot be read, with the indexes that can. */
  async #refused(
    key: string,
    index: number,
    offset: number,
    signal: AbortSignal | undefined,
  ): Promise<EtcdServerError> {
    const call = callOf(`GET ${key}`, key, signal);
    const { at } = await this.#keysAt("", undefined, call);
    const origin = originOf(at, offset);
    if (index > origin.etcdIndex) return afterCurrent(key, index, origin);
    const first = Math.max(1, await this.#compactedRevision(call)) + offset;
    return historyCleared({ key, waitIndex: index }, first, origin);
  }

  async #keysAt(path: string, revision: number | undefined, call: V3Call): Promise<PathAt> {
    const { schema } = this.#tree;
    const options = revision === undefined ? {} : { revision };
    const reads = [read(schema.file(path), options), read(schema.marker(path), options)];
    const at = await this.#tree.read(reads, call);
    const [file, marker] = at.results.map(({ kvs: [kv] }) => kv);
    return { file, marker, at };
  }

  /** The revision up to which etcd has compacted, which can still be read; 0: it never has. */
  async #compactedRevision(call: V3Call): Promise<number> {
    const { schema, api } = this.#tree;
    const key = schema.heartbeat;
    try {
      await this.#tree.read([read(key, { revision: 1, keys_only: true })], call);
      return 0;
    } catch (error) {
      if (refusalReasonOf(error) !== "compacted") throw error;
    }
    // Only the refusal of a watch says which revision it is.
    let stream: RevisionStream | undefined;
    try {
      stream = await RevisionStream.open(api, { key, range_end: "" }, { from: 1 }, call);
      while ((await stream.next(call)) !== undefined);
    } catch (error) {
      if (error instanceof Compacted && error.revision > 0) return error.revision;
      throw error;
    } finally {
      stream?.close();
    }
    return 0;
  }
}

const NOTHING: PathKeys = { file: undefined, marker: undefined };

function callOf(operation: string, key: string, signal: AbortSignal | undefined): V3Call {
  return { operation, key, safety: "read", scope: "quorum", signal };
}

function afterCurrent(
  key: string,
  index: number,
  { etcdIndex, etcdServer, etcdClusterId }: ReturnType<typeof originOf>,
): EtcdServerError {
  return serverErrorOf({
    ...errorDefinition(209),
    errorCode: 209,
    detail: `index ${index} is after the current index ${etcdIndex}`,
    index: etcdIndex,
    key,
    operation: `GET ${key}`,
    endpoint: etcdServer,
    clusterId: etcdClusterId,
  });
}
