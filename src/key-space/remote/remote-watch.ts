import type { StreamedResponse } from "../../cluster/exchange/exchange.js";
import { traceWatch } from "../../diagnostics/channels.js";
import { AbortError } from "../../errors/abort-error.js";
import { ClusterUnavailableError } from "../../errors/cluster-errors.js";
import { EtcdError } from "../../errors/etcd-error.js";
import type { EtcdResponse, ResponseOrigin } from "../../model/response.js";
import type { HttpRequest } from "../../wire/http.js";
import { requestAtEndpoint } from "../../wire/http-response.js";
import { type JsonDeserializer, readObject } from "../../wire/json.js";
import { decodeEvent, readOrigin } from "../../wire/key-response.js";
import type { KeyWatch } from "../key-space.js";

/** One open watch on a v2 server, which sends one line of JSON per event. */
export class RemoteWatch implements KeyWatch {
  readonly etcdServer: string;
  readonly etcdClusterId: string;
  readonly etcdIndex: number;
  readonly raftIndex: number;
  readonly raftTerm: number;
  readonly provenIndex: number;
  readonly #request: HttpRequest;
  readonly #response: StreamedResponse;
  readonly #deserialize: JsonDeserializer;
  #closed = false;

  /** `waitIndex`: index of the first event; 0: after the index of the response. */
  constructor(
    request: HttpRequest,
    response: StreamedResponse,
    deserialize: JsonDeserializer,
    waitIndex: number,
  ) {
    const origin = readOrigin(response, requestAtEndpoint(request, response));
    this.etcdServer = origin.etcdServer;
    this.etcdClusterId = origin.etcdClusterId;
    this.etcdIndex = origin.etcdIndex;
    this.raftIndex = origin.raftIndex;
    this.raftTerm = origin.raftTerm;
    this.#request = request;
    this.#response = response;
    this.#deserialize = deserialize;
    this.provenIndex = waitIndex === 0 ? origin.etcdIndex : waitIndex - 1;
    traceWatch({ operation: request.operation, endpoint: response.endpoint, event: "open" });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<EtcdResponse, void, undefined> {
    try {
      for (let line = await this.#next(); line.done !== true; line = await this.#next()) {
        yield this.#decode(line.value.toString());
      }
    } finally {
      this.close();
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const { parts, endpoint } = this.#response;
    parts.close();
    traceWatch({ operation: this.#request.operation, endpoint, event: "end" });
  }

  async #next(): Promise<IteratorResult<Buffer, undefined>> {
    const { parts, endpoint } = this.#response;
    try {
      return await parts.next();
    } catch (error) {
      const cause = error as Error;
      if (cause instanceof EtcdError || cause instanceof AbortError) throw cause;
      const attempt = { endpoint, cause, when: new Date() };
      throw new ClusterUnavailableError(this.#request.operation, [attempt]);
    }
  }

  #decode(line: string): EtcdResponse {
    const origin = requestAtEndpoint(this.#request, this.#response);
    return decodeEvent(readObject(line, this.#deserialize, origin), this.#origin, origin);
  }

  get #origin(): ResponseOrigin {
    const { etcdServer, etcdClusterId, etcdIndex, raftIndex, raftTerm } = this;
    return { etcdServer, etcdClusterId, etcdIndex, raftIndex, raftTerm };
  }
}
