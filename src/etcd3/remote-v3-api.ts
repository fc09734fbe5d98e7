import { Cluster } from "../cluster/cluster.js";
import type { StreamedResponse } from "../cluster/exchange/exchange.js";
import type { ClusterSettings } from "../cluster/routing/cluster-settings.js";
import type { TopologyProbes } from "../cluster/routing/topology-probes.js";
import { AbortError } from "../errors/abort-error.js";
import { notCompleted, ProtocolError } from "../errors/cluster-errors.js";
import { UnauthorizedError } from "../errors/common-errors.js";
import type { PasswordSource } from "../model/password-source.js";
import { withTimeout } from "../time/with-timeout.js";
import type { HttpResponse } from "../wire/http.js";
import { AuthToken } from "./auth-token.js";
import { decodeV3Response } from "./decode-response.js";
import { refusalReasonOf } from "./error-messages.js";
import type { MessageInit } from "./protobuf/message-type.js";
import { RemoteV3Stream } from "./remote-v3-stream.js";
import { responseErrorOf, TokenRefused } from "./response-error.js";
import { RPC, type Rpc, type WatchCreateRequest } from "./rpcs.js";
import type { HasHeader, V3Api, V3Call, V3Response, V3Stream } from "./v3-api.js";
import { v3Request } from "./v3-request.js";

/** Name and password of a user of etcd's v3 auth. */
export interface V3Credentials {
  readonly username: string;
  readonly password: PasswordSource;
}

/**
 * etcd's v3 API over the network: as gRPC, or as JSON through etcd's gateway where HTTP/2 is
 * unavailable, for example through a proxy.
 */
export class RemoteV3Api implements V3Api {
  /** Sends the requests. */
  readonly cluster: Cluster;
  readonly #token: AuthToken | undefined;
  /** The password that etcd accepted last. */
  #accepted: string | undefined;
  readonly #requestTimeout: number;
  readonly #timeout: number;

  /**
   * @param probes returns the requests that find the leader and the members, given a function that
   * returns the auth token
   */
  constructor(
    settings: ClusterSettings,
    credentials: V3Credentials | undefined,
    probes: (authorization: () => Promise<string | undefined>) => TopologyProbes,
  ) {
    const token = credentials && new AuthToken(() => this.#authenticate(credentials));
    const authorization = async () => await token?.get("GET of the members", undefined);
    this.cluster = new Cluster(settings, probes(authorization));
    this.#token = token;
    this.#requestTimeout = settings.requestTimeout;
    this.#timeout = settings.timeout;
  }

  call<Request, Response extends HasHeader>(
    rpc: Rpc<Request, Response>,
    request: MessageInit<Request>,
    call: V3Call,
  ): Promise<V3Response<Response>> {
    if (this.#token === undefined) return this.#send(rpc, request, call).catch(withoutToken);
    const limited = this.#withDeadline(call);
    return this.#authenticated(limited, (token) => this.#send(rpc, request, limited, token));
  }

  watch(create_request: WatchCreateRequest, call: V3Call): Promise<V3Stream> {
    return this.#authenticated(this.#withDeadline(call), async (token) => {
      const stream = await this.cluster.open(
        v3Request(RPC.watch, { create_request }, call, token),
        (response) => {
          throw responseErrorOf(call, response);
        },
        (response: StreamedResponse) => new RemoteV3Stream(call, response),
        call.signal,
      );
      return stream.begin(this.cluster.clock, call.attemptTimeout ?? this.#requestTimeout);
    });
  }

  close(): void {
    this.cluster.close();
  }

  #send<Request, Response extends HasHeader>(
    rpc: Rpc<Request, Response>,
    message: MessageInit<Request>,
    call: V3Call,
    token?: string,
  ): Promise<V3Response<Response>> {
    const request = v3Request(rpc, message, call, token);
    const { endpoint, signal } = call;
    const interpret = (response: HttpResponse): V3Response<Response> =>
      decodeV3Response(rpc, call, response);
    if (endpoint === undefined) return this.cluster.send(request, interpret, signal);
    return this.cluster.probe(endpoint, request, interpret, signal);
  }

  /** The timeout of a call includes authentication. */
  #withDeadline(call: V3Call): V3Call & { readonly deadline: number } {
    const { deadline = this.cluster.clock.monotonic() + this.#timeout } = call;
    return { ...call, deadline };
  }

  async #authenticated<T>(
    call: V3Call & { readonly deadline: number },
    send: (token?: string) => Promise<T>,
  ): Promise<T> {
    const token = await this.#tokenFor(call);
    try {
      return await send(token);
    } catch (error) {
      if (!(error instanceof TokenRefused) || this.#token === undefined) return withoutToken(error);
      this.#token.refused(token);
      return await send(await this.#tokenFor(call)).catch(withoutToken);
    }
  }

  /** @throws TimeoutError, AbortError, and the errors of authentication */
  async #tokenFor({
    operation,
    signal,
    deadline,
  }: V3Call & { readonly deadline: number }): Promise<string | undefined> {
    const token = this.#token?.get(operation, signal);
    if (token === undefined || this.#token?.isKnown === true) return token;
    const { clock } = this.cluster;
    return await withTimeout(token, {
      milliseconds: Math.max(1, deadline - clock.monotonic()),
      ...{ clock, signal },
      onTimeout: () => notCompleted(operation, this.#timeout),
      onAbort: (reason) => new AbortError(operation, reason, "not-sent"),
    });
  }

  /**
   * After etcd has refused a password, tries the one that is current by then, and the last one that etcd
   * accepted: a new password may be known here before etcd has it, or after.
   */
  async #authenticate({ username, password }: V3Credentials): Promise<string | undefined> {
    if (typeof password === "string") return await this.#tokenWith(username, password);
    const first = await password();
    try {
      return await this.#tokenWith(username, first);
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw error;
      const others = new Set([await password(), this.#accepted]);
      others.delete(first);
      for (const other of others) {
        if (other === undefined) continue;
        const token = this.#tokenWith(username, other);
        const outcome = await token.then((value) => ({ value }), onlyUnauthorized);
        if (outcome !== undefined) return outcome.value;
      }
      throw error;
    }
  }

  async #tokenWith(name: string, password: string): Promise<string | undefined> {
    try {
      const credentials = { name, password };
      const { message } = await this.#send(RPC.authenticate, credentials, AUTHENTICATION);
      const token = tokenOf(message.token);
      this.#accepted = password;
      return token;
    } catch (error) {
      if (refusalReasonOf(error) === "auth-disabled") return undefined;
      throw error instanceof TokenRefused ? error.cause : error;
    }
  }
}

/** @returns `undefined` for a refused password */
function onlyUnauthorized(error: unknown): undefined {
  if (!(error instanceof UnauthorizedError)) throw error;
}

/** A token becomes a header of every request. */
const TOKEN = /^[\x21-\x7e]+$/;
const MAX_TOKEN_CHARS = 16 * 1024;

/** @throws ProtocolError for a token that cannot be the value of a header */
function tokenOf(text: string): string | undefined {
  if (text === "") return undefined;
  if (text.length <= MAX_TOKEN_CHARS && TOKEN.test(text)) return text;
  throw new ProtocolError(`${AUTHENTICATION.operation}: the token in the response is not valid`);
}

/** Marked as a read, because it is safe to repeat. */
const AUTHENTICATION: V3Call = {
  operation: "POST /v3/auth/authenticate",
  key: "/",
  safety: "read",
  scope: "quorum",
};

/** Throws the cause of `TokenRefused` when no new token can help. */
function withoutToken(error: unknown): never {
  throw error instanceof TokenRefused ? error.cause : error;
}
