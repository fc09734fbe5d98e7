/** An HTTP server with responses that etcd never sends. */

import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

/** A request as it arrived. */
interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Responder = (response: ServerResponse, request: ReceivedRequest) => void;

export interface OddServer extends AsyncDisposable {
  readonly url: string;
  /** Every request so far. */
  readonly requests: ReceivedRequest[];
  /** The handler of the next requests. */
  respond: Responder;
}

/** Headers of every response of etcd. */
export const ETCD_HEADERS = {
  "content-type": "application/json",
  "x-etcd-cluster-id": "cdf818194e3a8c32",
  "x-etcd-index": "7",
  "x-raft-index": "9",
  "x-raft-term": "2",
};

/** A valid response to a read of `/a`. */
export const GOOD_GET =
  '{"action":"get","node":{"key":"/a","value":"1","modifiedIndex":7,"createdIndex":7}}\n';

/** A valid response to a set of `/a`. */
export const GOOD_SET = GOOD_GET.replace('"get"', '"set"');

export async function startOddServer(respond: Responder): Promise<OddServer> {
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray();
    const { method = "", url: path = "", headers } = request;
    const received = { method, path, headers, body: Buffer.concat(chunks).toString() };
    odd.requests.push(received);
    odd.respond(response, received);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const odd: OddServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    respond,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await once(server.close(), "close");
    },
  };
  return odd;
}

/** Responds with this status and body, and adds headers to etcd's; `undefined` removes one. */
export function reply(
  status: number,
  body: string | Buffer,
  headers: OutgoingHttpHeaders = {},
): Responder {
  return (response) => {
    const all = Object.entries({ ...ETCD_HEADERS, ...headers });
    const given = all.filter(([, value]) => value !== undefined);
    response.writeHead(status, Object.fromEntries(given)).end(body);
  };
}

/** Responds like etcd to a read or a write of `/a`. */
export const good: Responder = (response, request) =>
  reply(200, request.method === "GET" ? GOOD_GET : GOOD_SET)(response, request);

/** Writes pieces until the other side closes the connection. Yields to the event loop after each piece. */
export function writeWithoutEnd(response: ServerResponse, chunk: Buffer | string): void {
  const next = () => writeWithoutEnd(response, chunk);
  if (response.destroyed) return;
  if (response.write(chunk)) setImmediate(next);
  else response.once("drain", next);
}
