/** A scripted gRPC server, for rare behavior of etcd and for behavior of proxies in front of it. */

import { once } from "node:events";
import {
  createServer,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { RPC } from "../../src/etcd3/rpcs.js";
import { framed } from "../../src/wire/grpc.js";

/** Handles a request. `count` is its number: the first request of a server is 1. */
export type Script = (
  stream: ServerHttp2Stream & { readonly session: ServerHttp2Session },
  count: number,
  headers: IncomingHttpHeaders,
) => void;

export const GRPC_HEAD = { ":status": 200, "content-type": "application/grpc" };

/** The frame of etcd's response to a put. */
export const PUT_RESPONSE = framed(
  RPC.put.response.encode({ header: { cluster_id: "1", revision: 5 } }),
);

/** Responds with a message and a status. */
export function respond(stream: ServerHttp2Stream, frame = PUT_RESPONSE, status = "0"): void {
  if (stream.destroyed) return;
  stream.respond(GRPC_HEAD, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": status }));
  stream.end(frame);
}

export interface GrpcServer extends AsyncDisposable {
  readonly url: string;
  /** Number of requests so far. */
  readonly requests: number;
  /** Number of connections so far. */
  readonly connections: number;
}

export async function startGrpcServer(
  script: Script,
  { host = "127.0.0.1", settings = {} } = {},
): Promise<GrpcServer> {
  const sessions = new Set<Http2Session>();
  let [requests, connections] = [0, 0];
  const server = createServer({ settings });
  server.on("session", (session) => {
    connections++;
    sessions.add(session);
    session.on("error", () => {});
    session.on("close", () => sessions.delete(session));
  });
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    script(stream as ServerHttp2Stream & { session: ServerHttp2Session }, ++requests, headers);
  });
  await once(server.listen(0, host), "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    get requests() {
      return requests;
    },
    get connections() {
      return connections;
    },
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
