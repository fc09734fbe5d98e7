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
interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Answer = (response: ServerResponse, asked: Asked) => void;

export interface OddServer extends AsyncDisposable {
  readonly url: string;
  /** Every request so far. */
  readonly asked: Asked[];
  /** The handler of the next requests. */
  answer: Answer;
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

export async function startOddServer(answer: Answer): Promise<OddServer> {
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray();
    const { method = "", url: path = "", headers } = request;
    const asked = { method, path, headers, body: Buffer.concat(chunks).toString() };
    odd.asked.push(asked);
    odd.answer(response, asked);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const odd: OddServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    answer,
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
): Answer {
  return (response) => {
    const all = Object.entries({ ...ETCD_HEADERS, ...headers });
    const given = all.filter(([, value]) => value !== undefined);
    response.writeHead(status, Object.fromEntries(given)).end(body);
  };
}

/** Responds like etcd to a read or a write of `/a`. */
export const good: Answer = (response, asked) =>
  reply(200, asked.method === "GET" ? GOOD_GET : GOOD_SET)(response, asked);

/** Writes pieces until the other side closes the connection. Yields to the event loop after each piece. */
export function writeWithoutEnd(response: ServerResponse, chunk: Buffer | string): void {
  const next = () => writeWithoutEnd(response, chunk);
  if (response.destroyed) return;
  if (response.write(chunk)) setImmediate(next);
  else response.once("drain", next);
}
