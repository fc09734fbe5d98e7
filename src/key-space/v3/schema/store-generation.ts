import type { MessageInit } from "../../../etcd3/protobuf/message-type.js";
import type { ResponseHeader, Rpc } from "../../../etcd3/rpcs.js";
import type { HasHeader, V3Api, V3Call, V3Response } from "../../../etcd3/v3-api.js";

/** The state that was known when a request was sent. */
export interface Known {
  readonly generation: number;
  readonly revision: number;
}

/**
 * Recognizes that another store responds. A cluster that was recreated without its data, or from a
 * backup, keeps its ID if names, URLs and token are the same, but its revisions start again, or at
 * the end of the backup. A linearizable response with a revision below one that was known when the
 * request was sent comes from another store. A store that has already passed that revision cannot
 * be recognized.
 */
export class StoreGeneration {
  readonly #listeners: ((lastRevision: number) => void)[] = [];
  #number = 0;
  #clusterId = "";
  #revision = 0;

  /** Increases with each new store. */
  get number(): number {
    return this.#number;
  }

  /** The current state. */
  get known(): Known {
    return { generation: this.#number, revision: this.#revision };
  }

  /**
   * Calls the listener when another store responds, with the newest revision of the previous one.
   */
  onChange(listener: (lastRevision: number) => void): void {
    this.#listeners.push(listener);
  }

  /** Records a revision that a watch has delivered, and the generation of its store. */
  delivered(generation: number, revision: number): void {
    if (generation === this.#number) this.#revision = Math.max(this.#revision, revision);
  }

  /** Records a linearizable response. `known` is the state before the request was sent. */
  responded({ generation, revision }: Known, header: ResponseHeader): void {
    // The response may come from the previous or the current store.
    if (generation !== this.#number) return;
    const isSame = this.#clusterId === "" || header.cluster_id === this.#clusterId;
    this.#clusterId = header.cluster_id;
    if (isSame && header.revision >= revision) {
      this.#revision = Math.max(this.#revision, header.revision);
      return;
    }
    const last = this.#revision;
    this.#number++;
    this.#revision = header.revision;
    for (const listener of this.#listeners) listener(last);
  }
}

/** Returns an API that records its linearizable responses. */
export function withGeneration(api: V3Api, generation: StoreGeneration): V3Api {
  return {
    async call<Request, Response extends HasHeader>(
      rpc: Rpc<Request, Response>,
      request: MessageInit<Request>,
      call: V3Call,
    ): Promise<V3Response<Response>> {
      const { known } = generation;
      const response = await api.call(rpc, request, call);
      // Other services return the revision of the responding member.
      if (call.scope === "quorum" && rpc.service === "KV") {
        generation.responded(known, response.header);
      }
      return response;
    },
    watch: (request, call) => api.watch(request, call),
    close: () => api.close(),
  };
}
