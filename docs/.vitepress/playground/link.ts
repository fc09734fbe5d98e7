import type { Cluster } from "../../../src/cluster/cluster.js";
import type { StreamedResponse } from "../../../src/cluster/exchange/exchange.js";
import { ClusterUnavailableError } from "../../../src/errors/cluster-errors.js";
import type { MemoryKeySpace } from "../../../src/key-space/memory/memory-key-space.js";
import type { KeyGuard } from "../../../src/server/auth/key-guard.js";
import type { ServerReply } from "../../../src/server/http/message.js";
import { Router } from "../../../src/server/http/router.js";
import { splitTarget } from "../../../src/server/http/target.js";
import { KeysRoute } from "../../../src/server/routes/keys-route.js";
import type { Clock } from "../../../src/time/clock.js";
import { decodePath } from "../../../src/wire/decode-path.js";
import type { HttpRequest, HttpResponse } from "../../../src/wire/http.js";

const ENDPOINT = "http://etcd:2379";

/** Users and roles are not part of the playground. */
const everybody: KeyGuard = {
  permit: async () => ({ isValid: async () => true, guard: () => () => {} }),
};

/** The part of a cluster that a remote key space uses. */
type UsedCluster = Pick<Cluster, "clock" | "send" | "sendTo" | "open" | "close">;

/**
 * A connection between the client for the v2 API and the server's route for keys, in one page. It replaces sockets; both
 * ends are those of the package. It can be cut.
 */
export class Link implements UsedCluster {
  readonly clock: Clock;
  readonly #router: Router;
  readonly #log: (line: string) => void;
  #cut: AbortController | undefined = new AbortController();

  /** `log` gets a line for each request and each response that is no success. */
  constructor(keySpace: MemoryKeySpace, clock: Clock, log: (line: string) => void) {
    const route = new KeysRoute(
      () => keySpace,
      everybody,
      async () => keySpace.clusterId,
    );
    this.clock = clock;
    this.#router = new Router([route.route]);
    this.#log = log;
  }

  /** As the object that a remote key space takes. */
  get cluster(): Cluster {
    return this as unknown as Cluster;
  }

  cut(): void {
    this.#cut?.abort(new Error("the connection was cut"));
    this.#cut = undefined;
  }

  mend(): void {
    this.#cut ??= new AbortController();
  }

  close(): void {
    this.cut();
  }

  async send<T>(request: HttpRequest, interpret: (response: HttpResponse) => T): Promise<T> {
    const { reply } = await this.#serve(request);
    return interpret(await completed(reply));
  }

  sendTo<T>(
    _url: string,
    request: HttpRequest,
    interpret: (response: HttpResponse) => T,
  ): Promise<T> {
    return this.send(request, interpret);
  }

  async open<T>(
    request: HttpRequest,
    refuse: (response: HttpResponse) => void,
    interpret: (response: StreamedResponse) => T,
  ): Promise<T> {
    const { reply, ended } = await this.#serve(request);
    if (reply.status !== 200) {
      const response = await completed(reply);
      this.#log(`${response.status} ${response.body.trim()}`);
      refuse(response);
    }
    const parts = new Lines(reply, ended) as unknown as StreamedResponse["parts"];
    return interpret({ ...headOf(reply), parts });
  }

  async #serve(request: HttpRequest): Promise<{ reply: ServerReply; ended: AbortController }> {
    const { method, path, body = "", contentType, operation } = request;
    const cut = this.#cut?.signal;
    if (cut === undefined) {
      const cause = new Error("no connection");
      throw new ClusterUnavailableError(operation, [
        { endpoint: ENDPOINT, cause, when: new Date() },
      ]);
    }
    this.#log(`${method} ${path}`);
    const ended = new AbortController();
    cut.addEventListener("abort", () => ended.abort(cut.reason));
    const length = body === "" ? undefined : String(body.length);
    const sent = {
      method,
      target: path,
      headers: { "content-type": contentType, "content-length": length },
      body: async () => body,
      signal: ended.signal,
    };
    const target = splitTarget(path);
    const reply = await this.#router.serve(sent, decodePath(target.path), target.query);
    return { reply, ended };
  }
}

function headOf({ status, headers }: ServerReply) {
  const pairs: (readonly [string, string])[] = [];
  for (let at = 0; at < headers.length; at += 2) {
    pairs.push([String(headers[at]).toLowerCase(), String(headers[at + 1])]);
  }
  // A stream has no length in advance.
  const all = { "transfer-encoding": "chunked", ...Object.fromEntries(pairs) };
  return { status, headers: all, endpoint: ENDPOINT };
}

async function completed(reply: ServerReply): Promise<HttpResponse> {
  let body = "";
  if (typeof reply.body === "string") body = reply.body;
  else for await (const piece of reply.body) body += piece;
  return { ...headOf(reply), body };
}

/** The lines of a watch until the connection ends: the part of a decoder that a watch uses. */
class Lines {
  readonly #pieces: AsyncIterator<string>;
  readonly #ended: AbortController;
  readonly #halfClosed = new AbortController();

  constructor({ body }: ServerReply, ended: AbortController) {
    const pieces = typeof body === "string" ? [body] : body;
    this.#pieces = (async function* () {
      yield* pieces;
    })();
    this.#ended = ended;
  }

  async next(): Promise<IteratorResult<string, undefined>> {
    const { signal } = this.#ended;
    const next = this.#pieces.next();
    // The other promise may settle first.
    next.catch(() => {});
    const piece = await Promise.race([next, rejected(signal), endOf(this.#halfClosed.signal)]);
    if (piece === undefined || piece.done === true) return { done: true, value: undefined };
    return { done: false, value: piece.value };
  }

  /** The server ends a watch whose client has half-closed the connection. */
  halfClose(): void {
    this.#halfClosed.abort();
  }

  close(reason = new Error("closed")): void {
    this.#ended.abort(reason);
  }
}

function rejected(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = (): void => reject(signal.reason);
    if (signal.aborted) fail();
    else signal.addEventListener("abort", fail, { once: true });
  });
}

function endOf(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    const end = (): void => resolve(undefined);
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });
}
