import type { Cluster } from "../../cluster/cluster.js";
import type { HttpRequest, HttpResponse } from "../../wire/http.js";
import { requireSuccess } from "../../wire/http-response.js";
import { announcesBody, BodyError, type ServerReply, type ServerRequest } from "../http/message.js";
import { RequestError } from "../http/request-error.js";
import type { Handler } from "../http/router.js";
import { splitTarget } from "../http/target.js";
import { passedHeaders } from "./passed-headers.js";

/** Headers of a response that concern its client; the others concern the connection. */
const RETURNED_HEADERS = ["Content-Type", "X-Content-Type-Options", "X-Etcd-Cluster-Id", "Allow"];

/** Methods that change nothing, so that they can be repeated. */
const READS: ReadonlySet<string> = new Set(["GET", "HEAD"]);

/**
 * Sends a request to the cluster as it is, with the credentials of the client, and returns what the cluster responds. A
 * read is sent to the next member when one fails; a change only if no member can have processed it.
 */
export function passThrough(cluster: Cluster, id: string): Handler {
  return async (request) => {
    const http = await requestOf(request, id);
    let failure: ServerReply | undefined;
    const read = (response: HttpResponse): ServerReply => {
      const reply = replyOf(response);
      if (http.safety === "read" && response.status >= 500) {
        failure = reply;
        requireSuccess(http, response);
      }
      return reply;
    };
    try {
      return await cluster.send(http, read, undefined);
    } catch (error) {
      if (failure === undefined) throw error;
      return failure;
    }
  };
}

async function requestOf(request: ServerRequest, id: string): Promise<HttpRequest> {
  const { method } = request;
  const { path, query } = splitTarget(request.target);
  const { "content-type": contentType } = request.headers;
  return {
    method,
    path: query === "" ? path : `${path}?${query}`,
    ...(announcesBody(request) && { body: await bodyOf(request) }),
    ...(contentType !== undefined && { contentType }),
    ...passedHeaders(request, id),
    readsAllHeaders: true,
    safety: READS.has(method) ? "read" : "write",
    scope: "quorum",
    operation: `${method} ${path}`,
  };
}

/** @throws RequestError 400 for a body that is too large */
async function bodyOf(request: ServerRequest): Promise<string> {
  try {
    return await request.body();
  } catch (error) {
    throw error instanceof BodyError ? new RequestError(400, error.message) : error;
  }
}

function replyOf({ status, headers, body }: HttpResponse): ServerReply {
  const returned = RETURNED_HEADERS.flatMap((name) => {
    const value = headers[name.toLowerCase()];
    return typeof value === "string" ? [name, value] : [];
  });
  return { status, headers: returned, body };
}
