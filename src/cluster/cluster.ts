import { ProtocolError } from "../errors/cluster-errors.js";
import type { Clock } from "../time/clock.js";
import { AttemptFailure } from "../wire/attempt-failure.js";
import type { HttpReply, HttpReplyHead, HttpRequest } from "../wire/http.js";
import { originOf, readable } from "../wire/reply.js";
import type { StreamedReply } from "./exchange/exchange.js";
import { Call } from "./routing/call.js";
import type { CallSpec, SendAttempt } from "./routing/call-spec.js";
import type { ClusterSettings } from "./routing/cluster-settings.js";
import { EndpointList, type EndpointSource } from "./routing/endpoint-list.js";
import { Topology } from "./routing/topology.js";
import { type TopologyProbes, v2Probes } from "./routing/topology-probes.js";
import { Transport } from "./routing/transport.js";
import { waitForEndpoints } from "./routing/wait-for-endpoints.js";

/**
 * Sends requests to the endpoints of one cluster: pinned to one of them, over to the next when it
 * fails, and never a write twice.
 */
export class Cluster {
  readonly #settings: ClusterSettings;
  readonly #endpoints: EndpointList;
  readonly #transport: Transport;
  readonly #topology: Topology;
  readonly #closing = new AbortController();
  readonly #ask: SendAttempt<HttpReply>;
  readonly #watch: SendAttempt<HttpReply | StreamedReply>;

  constructor(settings: ClusterSettings, probes: TopologyProbes = v2Probes) {
    this.#settings = settings;
    this.#endpoints = new EndpointList(settings.urls, settings.clock);
    this.#transport = new Transport(settings, (url) => this.#endpoints.urls.includes(url));
    this.#topology = new Topology(settings, this.#endpoints, this.#transport, probes);
    this.#ask = (url, request, limits) => this.#transport.ask(url, request, limits);
    this.#watch = (url, request, limits) => this.#transport.watch(url, request, limits);
  }

  get clock(): Clock {
    return this.#settings.clock;
  }

  /** Sends a request until a member gives a reply that `interpret` accepts. */
  send<T>(
    request: HttpRequest,
    interpret: (reply: HttpReply) => T,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    return this.#call({ request, ask: this.#ask, interpret }, signal);
  }

  /** Sends a request to one endpoint, and nowhere else when that fails. */
  sendTo<T>(
    url: string,
    request: HttpRequest,
    interpret: (reply: HttpReply) => T,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    return this.#call({ request, ask: this.#ask, interpret }, signal, this.#endpoints.only(url));
  }

  /**
   * Opens a watch at the first member that takes it and begins it as `interpret` accepts it;
   * `refuse` throws what any other reply than 2xx means.
   */
  open<T>(
    request: HttpRequest,
    refuse: (reply: HttpReply) => void,
    interpret: (reply: StreamedReply) => T,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const beginIt = (reply: HttpReply | StreamedReply): T =>
      begin(request, reply, refuse, interpret);
    return this.#call({ request, ask: this.#watch, interpret: beginIt }, signal);
  }

  /** URLs of the endpoints, once discovery has found them. */
  async endpoints(
    request: HttpRequest,
    signal: AbortSignal | undefined,
  ): Promise<readonly string[]> {
    if (this.#transport.closed) throw closedError();
    await this.#prepare(request, signal);
    return this.#endpoints.urls;
  }

  /** Sends a request to one endpoint. Its answer or failure changes nothing for other calls. */
  async probe<T>(
    url: string,
    request: HttpRequest,
    interpret: (reply: HttpReply) => T,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const limits = { timeout: this.#settings.requestTimeout, signal };
    return interpret(await this.#transport.askOne(url, request, limits));
  }

  /** Breaks every call and watch off and closes all sockets. */
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

  #call<R extends HttpReplyHead, T>(
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
  return new TypeError("the client is closed");
}

/** Begins a watch that stands. One that is not accepted leaves no connection behind. */
function begin<T>(
  request: HttpRequest,
  reply: HttpReply | StreamedReply,
  refuse: (reply: HttpReply) => void,
  interpret: (reply: StreamedReply) => T,
): T {
  if (!("parts" in reply)) {
    refuse(reply);
    const what = `HTTP ${reply.status} is no answer to a watch`;
    const error = new ProtocolError(`${originOf(request, reply)}: ${what}`);
    throw new AttemptFailure("unknown", error);
  }
  try {
    return readable(() => interpret(reply));
  } catch (error) {
    reply.parts.close();
    throw error;
  }
}
