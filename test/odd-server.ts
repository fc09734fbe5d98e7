/** An HTTP server that answers what etcd never would. */

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
  /** What is answered from now on. */
  answer: Answer;
}

/** What etcd itself sends with every answer. */
export const ETCD_HEADERS = {
  "content-type": "application/json",
  "x-etcd-cluster-id": "cdf818194e3a8c32",
  "x-etcd-index": "7",
  "x-raft-index": "9",
  "x-raft-term": "2",
};

/** A good answer to a read of `/a`. */
export const GOOD_GET =
  '{"action":"get","node":{"key":"/a","value":"1","modifiedIndex":7,"createdIndex":7}}\n';

/** A good answer to a set of `/a`. */
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

/** Answers with this status, body, and headers beside etcd's; `undefined` takes one away. */
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

/** Answers as etcd would, to a read or a write of `/a`. */
export const good: Answer = (response, asked) =>
  reply(200, asked.method === "GET" ? GOOD_GET : GOOD_SET)(response, asked);

/** Writes until the other side hangs up, a piece at a time: others, too, must have their turn. */
export function writeWithoutEnd(response: ServerResponse, chunk: Buffer | string): void {
  const next = () => writeWithoutEnd(response, chunk);
  if (response.destroyed) return;
  if (response.write(chunk)) setImmediate(next);
  else response.once("drain", next);
}
