import type { V3Api, V3Call, V3Response } from "../../../etcd3/v3-api.js";
import { readHeader, type V3Header } from "../../../etcd3/v3-json.js";

/** What was known when a request was sent. */
export interface Known {
  readonly generation: number;
  readonly revision: number;
}

/**
 * Which store answers. A cluster that was started again without its data, or from a backup, keeps
 * its id if names, URLs and token are the same, but its revisions begin anew, or where the backup
 * ends. A linearizable answer with a revision below one that was known when the request was sent is
 * an answer of another store. A store that has already passed that revision cannot be recognized.
 */
export class StoreGeneration {
  readonly #listeners: ((lastRevision: number) => void)[] = [];
  #number = 0;
  #clusterId = "";
  #revision = 0;

  /** Changes with each other store. */
  get number(): number {
    return this.#number;
  }

  /** What is known now. */
  get known(): Known {
    return { generation: this.#number, revision: this.#revision };
  }

  /** Calls the listener when another store has answered, with the newest revision of the one before. */
  onChange(listener: (lastRevision: number) => void): void {
    this.#listeners.push(listener);
  }

  /** Takes note of a revision that a watch has delivered, and which store that was. */
  delivered(generation: number, revision: number): void {
    if (generation === this.#number) this.#revision = Math.max(this.#revision, revision);
  }

  /** Takes note of a linearizable answer. `known` is from before the request was sent. */
  answered({ generation, revision }: Known, header: V3Header): void {
    // Nobody can tell whether the store from before answered, or the one that is known now.
    if (generation !== this.#number) return;
    const isSame = this.#clusterId === "" || header.clusterId === this.#clusterId;
    this.#clusterId = header.clusterId;
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

/** The same API, whose linearizable answers are taken note of. */
export function withGeneration(api: V3Api, generation: StoreGeneration): V3Api {
  return {
    async call(path: string, body: object, call: V3Call): Promise<V3Response> {
      const { known } = generation;
      const answer = await api.call(path, body, call);
      // Other services show the revision of the member that answered.
      if (call.scope === "quorum" && path.startsWith("kv/")) {
        generation.answered(known, readHeader(answer.body));
      }
      return answer;
    },
    stream: (path, body, call) => api.stream(path, body, call),
    close: () => api.close(),
  };
}
