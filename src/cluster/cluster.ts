import { ProtocolError } from "../errors/cluster-errors.js";
import type { Clock } from "../time/clock.js";
import { AttemptFailure } from "../wire/attempt-failure.js";
import type { HttpRequest, HttpResponse, HttpResponseHead } from "../wire/http.js";
import { decodeResponse, requestAtEndpoint } from "../wire/http-response.js";
import type { StreamedResponse } from "./exchange/exchange.js";
import { Call } from "./routing/call.js";
import type { CallSpec, SendAttempt } from "./routing/call-spec.js";
import type { ClusterSettings } from "./routing/cluster-settings.js";
import { EndpointList, type EndpointSource } from "./routing/endpoint-list.js";
import { Topology } from "./routing/topology.js";
import { type TopologyProbes, v2Probes } from "./routing/topology-probes.js";
import { Transport } from "./routing/transport.js";
import { waitForEndpoints } from "./routing/wait-for-endpoints.js";

/**
 * Sends requests to the endpoints of one cluster. Requests stay with one endpoint and go to another
 * when it fails. A write that may have been processed is not sent again.
 */
export class Cluster {
  readonly #settings: ClusterSettings;
  readonly #endpoints: EndpointList;
  readonly #transport: Transport;
  readonly #topology: Topology;
  readonly #closing = new AbortController();
  readonly #send: SendAttempt<HttpResponse>;
  readonly #watch: SendAttempt<HttpResponse | StreamedResponse>;

  constructor(settings: ClusterSettings, probes: TopologyProbes = v2Probes) {
    this.#settings = settings;
    this.#endpoints = new EndpointList(settings.urls, settings.clock);
    this.#transport = new Transport(settings, (url) => this.#endpoints.urls.includes(url));
    this.#topology = new Topology(settings, this.#endpoints, this.#transport, probes);
    this.#send = (url, request, limits) => this.#transport.send(url, request, limits);
    this.#watch = (url, request, limits) => this.#transport.watch(url, request, limits);
  }

  get clock(): Clock {
    return this.#settings.clock;
  }

  /** Sends a request to one endpoint after the other until `interpret` accepts a response. */
  send<T>(
    request: HttpRequest,
    interpret: (response: HttpResponse) => T,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    return this.#call({ request, send: this.#send, interpret }, signal);
  }

  /** Sends a request to one endpoint. Tries no other endpoint when that fails. */
  sendTo<T>(
    url: string,
    request: HttpRequest,
    interpret: (response: HttpResponse) => T,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    return this.#call({ request, send: this.#send, interpret }, signal, this.#endpoints.only(url));
  }

  /**
   * Opens a watch at the first endpoint that accepts it. `interpret` turns its response into the
   * result. `refuse` throws the error for a response with a status other than 2xx.
   */
  open<T>(
    request: HttpRequest,
    refuse: (response: HttpResponse) => void,
    interpret: (response: StreamedResponse) => T,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const start = (response: HttpResponse | StreamedResponse): T =>
      startWatch(request, response, refuse, interpret);
    return this.#call({ request, send: this.#watch, interpret: start }, signal);
  }

  /** URLs of the endpoints. Waits for discovery. */
  async endpoints(
    request: HttpRequest,
    signal: AbortSignal | undefined,
  ): Promise<readonly string[]> {
    if (this.#transport.closed) throw closedError();
    await this.#prepare(request, signal);
    return this.#endpoints.urls;
  }

  /** Sends a request to one endpoint. Its result does not affect other calls. */
  async probe<T>(
    url: string,
    request: HttpRequest,
    interpret: (response: HttpResponse) => T,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const limits = { timeout: this.#settings.requestTimeout, signal };
    return interpret(await this.#transport.sendToOne(url, request, limits));
  }

  /** Aborts every call and watch and closes all sockets. */
  close(): void {
    this.#closing.abort(new Error("the client was closed"));
    this.#transport.close();
  }

  async #prepare(request: HttpRequest, signal: AbortSignal | undefined): Promise<void> {
    const ready = this.#topology.prepare(request);
    const closing = this.#closing.signal;
    if (ready !== undefined)
      await waitForEndpoints(ready, request, this.#settings, signal, closing);
  }

  #call<R extends HttpResponseHead, T>(
    spec: CallSpec<R, T>,
    signal: AbortSignal | undefined,
    candidates: EndpointSource = this.#endpoints,
  ): Promise<T> {
    if (this.#transport.closed) return Promise.reject(closedError());
    const call = new Call(spec, this.#settings, candidates, signal);
    return call.run(this.#topology.prepare(spec.request), this.#closing.signal);
  }
}

function closedError(): TypeError {
  return new TypeError("the client is closed; create a new one");
}

/** Starts a watch from its response. Closes the stream when it is not accepted. */
function startWatch<T>(
  request: HttpRequest,
  response: HttpResponse | StreamedResponse,
  refuse: (response: HttpResponse) => void,
  interpret: (response: StreamedResponse) => T,
): T {
  if (!("parts" in response)) {
    refuse(response);
    const what = `HTTP ${response.status} is not a valid response to a watch; check that the endpoint is etcd`;
    const error = new ProtocolError(`${requestAtEndpoint(request, response)}: ${what}`);
    throw new AttemptFailure("unknown", error);
  }
  try {
    return decodeResponse(() => interpret(response));
  } catch (error) {
    response.parts.close();
    throw error;
  }
}
