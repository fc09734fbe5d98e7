import { errorDefinition, serverErrorOf } from "../../errors/error-table.js";
import { EtcdCommonError, type EtcdServerError } from "../../errors/server-error.js";
import { differences } from "../../key-space/shared/differences.js";
import {
  type CompareAndDeleteRequest,
  type CompareAndSwapRequest,
  type KeyRequest,
  operationOf,
} from "../../model/key-request.js";
import type { EtcdResponse } from "../../model/response.js";
import type { ShownIndexes } from "./shown-indexes.js";

/** Executes a request on the cluster that serves. */
type Execute = (request: KeyRequest) => Promise<EtcdResponse>;

/** A node that was copied at the last switch. */
interface Copied {
  readonly response: EtcdResponse;
  /** Its `modifiedIndex` before the switch. */
  readonly before: number;
}

/** The keys of a cluster after a switch, with the indexes that clients know from before. */
export class ShownKeys {
  readonly #indexes: ShownIndexes;
  /** First index of the cluster after the switch. */
  readonly first: number;

  constructor(indexes: ShownIndexes, first: number) {
    this.#indexes = indexes;
    this.first = first;
  }

  /** A response or an event of the cluster, for clients. */
  show(response: EtcdResponse, signal: AbortSignal | undefined): Promise<EtcdResponse> {
    return this.#indexes.show(response, this.first, signal);
  }

  async execute(
    request: KeyRequest,
    execute: Execute,
    signal: AbortSignal | undefined,
  ): Promise<EtcdResponse> {
    const response = await execute(await this.#withStoredIndex(request, execute, signal));
    try {
      return await this.show(response, signal);
    } catch (error) {
      // A write was carried out, whatever its indexes are.
      if (request.action === "get") throw error;
      return response;
    }
  }

  /** `undefined`: the node was not copied at the last switch, or its index before it is not known. */
  async copied(
    key: string,
    execute: Execute,
    signal: AbortSignal | undefined,
  ): Promise<Copied | undefined> {
    try {
      const response = await execute({ action: "get", key, quorum: true });
      if (response.node.createdIndex >= this.first) return undefined;
      const before = await this.#indexes.modifiedIndexOf(response.node, signal);
      return before === undefined ? undefined : { response, before };
    } catch (error) {
      if (error instanceof EtcdCommonError) return undefined;
      throw error;
    }
  }

  /**
   * A condition with an index from before the switch is met by the copy of the node, as long as nobody has changed it.
   *
   * @throws TestFailedError when the copy had another index: the cluster may have stored it with the one of the condition
   */
  async #withStoredIndex(
    request: KeyRequest,
    execute: Execute,
    signal: AbortSignal | undefined,
  ): Promise<KeyRequest> {
    const first = this.first;
    if (!("prevIndex" in request) || !request.prevIndex || request.prevIndex >= first) {
      return request;
    }
    const copied = await this.copied(request.key, execute, signal);
    if (copied === undefined) return request;
    const { response, before } = copied;
    const { node } = response;
    if (node.modifiedIndex >= first || node.dir === true) return request;
    if (before === request.prevIndex) return { ...request, prevIndex: node.modifiedIndex };
    throw testFailed(request, { ...response, node: { ...node, modifiedIndex: before } });
  }
}

/** Error 101 for a condition that a node does not meet, as clients see it. */
function testFailed(
  request: CompareAndSwapRequest | CompareAndDeleteRequest,
  { node, etcdIndex: index, etcdServer: endpoint, etcdClusterId: clusterId }: EtcdResponse,
): EtcdServerError {
  const { value = "", modifiedIndex } = node;
  return serverErrorOf({
    ...errorDefinition(101),
    errorCode: 101,
    detail: differences(request, { value, modifiedIndex }),
    ...{ index, key: request.key, operation: operationOf(request), endpoint, clusterId },
  });
}
