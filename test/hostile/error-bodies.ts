/** Errors of etcd, and others in the same form. */

import { toJson } from "../../src/etcd3/json-form.js";
import { RPC } from "../../src/etcd3/rpcs.js";

interface ErrorBody {
  readonly status: number;
  readonly body: string;
}

type GrpcError = readonly [code: number, message: string];

const v2 = (
  status: number,
  errorCode: unknown,
  index: unknown,
  cause: unknown = "/a",
): ErrorBody => ({
  status,
  body: JSON.stringify({ errorCode, message: "Key not found", cause, index }),
});

/** gRPC codes and messages by which the client decides what to do next. */
export const GRPC_ERRORS: readonly [GrpcError, ...GrpcError[]] = [
  [11, "etcdserver: mvcc: required revision has been compacted"],
  [11, "etcdserver: mvcc: required revision is a future revision"],
  [9, "etcdserver: lease already exists"],
  [5, "etcdserver: requested lease not found"],
  [16, "etcdserver: invalid auth token"],
  [7, "etcdserver: permission denied"],
  [3, "etcdserver: user name is empty"],
  [9, "etcdserver: authentication is not enabled"],
  [3, "etcdserver: too many operations in txn request"],
  [3, "etcdserver: request is too large"],
  [8, "etcdserver: mvcc: database space exceeded"],
  [8, "grpc: received message larger than max (99999999 vs. 0)"],
  [8, "grpc: received message larger than max (1 vs. 99999999999999999999)"],
  [3, "etcdserver: key not found"],
  [14, "etcdserver: no leader"],
  [14, "etcdserver: request timed out"],
  [14, 'connection error: desc = "transport: Error while dialing'],
  [12, "unknown service"],
  [2, ""],
  [0, "no error"],
  [-1, "negative"],
  [1e300, "large"],
];

export const ERROR_BODIES: readonly [ErrorBody, ...ErrorBody[]] = [
  v2(404, 100, 7),
  v2(412, 101, 7, "[1 != 2]"),
  v2(403, 102, 7),
  v2(400, 104, 7),
  v2(412, 105, 7),
  v2(403, 108, 7),
  v2(401, 110, 0),
  v2(400, 209, 7),
  v2(500, 300, 7),
  v2(500, 301, 7),
  v2(400, 400, 7),
  v2(400, 401, 9_000_000),
  v2(404, 100, -1),
  v2(404, 100, 1.5),
  v2(404, 100.5, 7),
  v2(404, -1, 7),
  v2(404, 1e300, 7),
  v2(200, 100, 7),
  v2(404, 100, "7", 1),
  { status: 404, body: "404 page not found\n" },
  { status: 404, body: "Not Found\n" },
  { status: 403, body: '{"message":"not current leader"}' },
  { status: 409, body: '{"message":""}' },
  { status: 410, body: '{"message":5}' },
  { status: 503, body: '{"health":"false","reason":"RAFT NO LEADER"}' },
  { status: 503, body: '{"health":true}' },
  ...GRPC_ERRORS.map(([code, message]) => ({
    status: code === 0 ? 200 : 400,
    body: JSON.stringify({ error: message, message, code }),
  })),
  { status: 200, body: JSON.stringify(toJson(RPC.authenticate.response, { token: "a\r\nb: c" })) },
];
