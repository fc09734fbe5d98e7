import type { Cluster } from "../../cluster/cluster.js";
import { EtcdCommonError } from "../../errors/server-error.js";
import { unusedKey } from "../../key-space/shared/read-state.js";
import { adminGet } from "../../wire/admin-request.js";
import type { HttpResponse } from "../../wire/http.js";
import { requireSuccess } from "../../wire/http-response.js";
import { keyPath } from "../../wire/key-path.js";
import type { MemberProbe } from "../probes/readiness.js";

/**
 * Reads a key that does not exist from the members of a v2 cluster. The read is local, as most reads of clients are: a
 * member without a quorum still serves them. That it needs credentials is a response, too.
 */
export class SourceMemberProbe implements MemberProbe {
  /** The cluster's ID in hexadecimal; empty until a member has reported it. */
  clusterId = "";
  readonly #cluster: Cluster;
  readonly #request = adminGet(keyPath(unusedKey("/")));

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  endpoints(signal: AbortSignal): Promise<readonly string[]> {
    return this.#cluster.endpoints(this.#request, signal);
  }

  /** etcd's responses about an absent key do not have the term of raft. */
  readFrom(endpoint: string, signal: AbortSignal): Promise<undefined> {
    return this.#cluster.probe(endpoint, this.#request, (response) => this.#read(response), signal);
  }

  #read(response: HttpResponse): undefined {
    const { "x-etcd-cluster-id": clusterId } = response.headers;
    if (typeof clusterId === "string") this.clusterId = clusterId;
    try {
      requireSuccess(this.#request, response);
    } catch (error) {
      if (!(error instanceof EtcdCommonError)) throw error;
    }
  }
}
