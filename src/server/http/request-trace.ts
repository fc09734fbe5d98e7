import {
  type ServerRequestTrace,
  traceServerRequest,
  tracesServerRequests,
} from "../../diagnostics/server-channels.js";
import { monotonicNow } from "../../time/event-loop.js";
import { readBasicCredentials } from "./basic-credentials.js";
import type { ServerRequest } from "./message.js";
import type { ReplyTarget } from "./send-reply.js";
import { splitTarget } from "./target.js";

/** The parameters of etcd's v2 API. Other names may be anything, for example a value without its name. */
const PARAMETERS: ReadonlySet<string> = new Set([
  ...["value", "dir", "ttl", "refresh", "prevValue", "prevIndex", "prevExist", "noValueOnSuccess"],
  ...["wait", "waitIndex", "recursive", "stream", "sorted", "quorum"],
]);

/** Measures a request for `etcdnet:server-request`. At no cost without subscribers. */
export class RequestTrace {
  static of(request: ServerRequest, response: ReplyTarget): RequestTrace | undefined {
    return tracesServerRequests() ? new RequestTrace(request, response) : undefined;
  }

  readonly #startedAt = monotonicNow();
  #begunAfter: number | undefined;

  private constructor(request: ServerRequest, response: ReplyTarget) {
    const { socket } = response.req;
    const { bytesWritten } = socket;
    const { remoteAddress: address } = request;
    response.once("close", () => {
      const duration = monotonicNow() - this.#startedAt;
      traceServerRequest({
        ...requestFields(request),
        status: response.statusCode,
        bytes: socket.bytesWritten - bytesWritten,
        begunAfter: this.#begunAfter ?? duration,
        duration,
        address,
        complete: response.writableFinished,
      });
    });
  }

  /** The response is known and is sent now. */
  begins(): void {
    this.#begunAfter = monotonicNow() - this.#startedAt;
  }
}

function requestFields(
  request: ServerRequest,
): Pick<ServerRequestTrace, "method" | "path" | "parameters" | "userAgent" | "user"> {
  const { method, target, headers } = request;
  const { path, query } = splitTarget(target);
  return {
    method,
    path,
    parameters: parametersIn(query),
    userAgent: headers["user-agent"],
    user: userOf(request),
  };
}

/** Longer queries are not searched: they contain a value. */
const MAX_QUERY_CHARS = 4_096;

function parametersIn(query: string): readonly string[] {
  const names = query
    .slice(0, MAX_QUERY_CHARS)
    .split(/[&;]/)
    .map((pair) => pair.split("=", 1)[0] ?? "");
  return [...PARAMETERS].filter((name) => names.includes(name));
}

/** The header is used even if its credentials are wrong; one that cannot be read may be a password. */
function userOf({ headers, certificateName }: ServerRequest): string | undefined {
  return headers.authorization
    ? readBasicCredentials(headers.authorization)?.user
    : certificateName;
}
