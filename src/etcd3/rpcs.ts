/** The calls of etcd's gRPC API that etcdnet uses, with the fields of their messages. */

import {
  type MessageInit,
  type MessageOf,
  type MessageType,
  message,
} from "./protobuf/message-type.js";

/** One gRPC method. */
export interface Rpc<Request, Response> {
  readonly service: string;
  /** Path of the gRPC request. */
  readonly grpcPath: string;
  /** Path in etcd's JSON gateway, below `/v3/`. */
  readonly path: string;
  readonly request: MessageType<Request>;
  readonly response: MessageType<Response>;
}

const HEADER = message({
  cluster_id: [1, "uid"],
  member_id: [2, "uid"],
  revision: [3, "natural"],
  raft_term: [4, "natural"],
});

const KEY_VALUE = message({
  key: [1, "bytes"],
  create_revision: [2, "natural"],
  mod_revision: [3, "natural"],
  version: [4, "natural"],
  value: [5, "bytes"],
  lease: [6, "id"],
});

const RANGE_REQUEST = message({
  key: [1, "bytes"],
  range_end: [2, "bytes"],
  limit: [3, "integer"],
  revision: [4, "integer"],
  serializable: [7, "flag"],
  keys_only: [8, "flag"],
});

const RANGE_RESPONSE = message({
  header: [1, HEADER],
  kvs: [2, KEY_VALUE, "repeated"],
  more: [3, "flag"],
  count: [4, "natural"],
});

const PUT_REQUEST = message({
  key: [1, "bytes"],
  value: [2, "bytes"],
  lease: [3, "id"],
  prev_kv: [4, "flag"],
  ignore_value: [5, "flag"],
  ignore_lease: [6, "flag"],
});

const PUT_RESPONSE = message({ header: [1, HEADER], prev_kv: [2, KEY_VALUE] });

const DELETE_REQUEST = message({
  key: [1, "bytes"],
  range_end: [2, "bytes"],
  prev_kv: [3, "flag"],
});

const DELETE_RESPONSE = message({
  header: [1, HEADER],
  deleted: [2, "natural"],
  prev_kvs: [3, KEY_VALUE, "repeated"],
});

const COMPARE = message({
  result: [1, ["EQUAL", "GREATER", "LESS", "NOT_EQUAL"]],
  target: [2, ["VERSION", "CREATE", "MOD", "VALUE", "LEASE"]],
  key: [3, "bytes"],
  version: [4, "natural"],
  create_revision: [5, "integer"],
  mod_revision: [6, "integer"],
  value: [7, "bytes"],
  lease: [8, "id"],
  range_end: [64, "bytes"],
});

/** Written out, because TypeScript cannot infer a recursive type. */
interface RequestOpMessage {
  readonly request_range: MessageOf<typeof RANGE_REQUEST> | undefined;
  readonly request_put: MessageOf<typeof PUT_REQUEST> | undefined;
  readonly request_delete_range: MessageOf<typeof DELETE_REQUEST> | undefined;
  readonly request_txn: MessageOf<typeof TXN_REQUEST> | undefined;
}

const REQUEST_OP: MessageType<RequestOpMessage> = message({
  request_range: [1, RANGE_REQUEST],
  request_put: [2, PUT_REQUEST],
  request_delete_range: [3, DELETE_REQUEST],
  request_txn: [4, () => TXN_REQUEST],
});

const TXN_REQUEST = message({
  compare: [1, COMPARE, "repeated"],
  success: [2, REQUEST_OP, "repeated"],
  failure: [3, REQUEST_OP, "repeated"],
});

/** Written out, because TypeScript cannot infer a recursive type. */
export interface ResponseOp {
  readonly response_range: MessageOf<typeof RANGE_RESPONSE> | undefined;
  readonly response_put: MessageOf<typeof PUT_RESPONSE> | undefined;
  readonly response_delete_range: MessageOf<typeof DELETE_RESPONSE> | undefined;
  readonly response_txn: MessageOf<typeof TXN_RESPONSE> | undefined;
}

const RESPONSE_OP: MessageType<ResponseOp> = message({
  response_range: [1, RANGE_RESPONSE],
  response_put: [2, PUT_RESPONSE],
  response_delete_range: [3, DELETE_RESPONSE],
  response_txn: [4, () => TXN_RESPONSE],
});

const TXN_RESPONSE = message({
  header: [1, HEADER],
  succeeded: [2, "flag"],
  responses: [3, RESPONSE_OP, "repeated"],
});

const WATCH_CREATE_REQUEST = message({
  key: [1, "bytes"],
  range_end: [2, "bytes"],
  start_revision: [3, "integer"],
  progress_notify: [4, "flag"],
  prev_kv: [6, "flag"],
  fragment: [8, "flag"],
});

const WATCH_REQUEST = message({ create_request: [1, WATCH_CREATE_REQUEST] });

const EVENT = message({
  type: [1, ["PUT", "DELETE"]],
  kv: [2, KEY_VALUE],
  prev_kv: [3, KEY_VALUE],
});

const WATCH_RESPONSE = message({
  header: [1, HEADER],
  created: [3, "flag"],
  canceled: [4, "flag"],
  compact_revision: [5, "natural"],
  cancel_reason: [6, "text"],
  fragment: [7, "flag"],
  events: [11, EVENT, "repeated"],
});

const MEMBER = message({
  ID: [1, "uid"],
  name: [2, "text"],
  peerURLs: [3, "text", "repeated"],
  clientURLs: [4, "text", "repeated"],
  isLearner: [5, "flag"],
});

const MEMBERS = message({ header: [1, HEADER], members: [2, MEMBER, "repeated"] });

const LEASE = message({ ID: [1, "id"] });

const LEASE_STATE = message({ header: [1, HEADER], ID: [2, "id"], TTL: [3, "integer"] });

const EMPTY = message({});

/** The methods, by etcd's names. */
export const RPC = {
  range: rpc("KV", "Range", "kv/range", RANGE_REQUEST, RANGE_RESPONSE),
  put: rpc("KV", "Put", "kv/put", PUT_REQUEST, PUT_RESPONSE),
  deleteRange: rpc("KV", "DeleteRange", "kv/deleterange", DELETE_REQUEST, DELETE_RESPONSE),
  txn: rpc("KV", "Txn", "kv/txn", TXN_REQUEST, TXN_RESPONSE),
  watch: rpc("Watch", "Watch", "watch", WATCH_REQUEST, WATCH_RESPONSE),
  leaseGrant: rpc(
    "Lease",
    "LeaseGrant",
    "lease/grant",
    message({ TTL: [1, "integer"], ID: [2, "id"] }),
    LEASE_STATE,
  ),
  leaseRevoke: rpc("Lease", "LeaseRevoke", "lease/revoke", LEASE, message({ header: [1, HEADER] })),
  leaseTimeToLive: rpc("Lease", "LeaseTimeToLive", "lease/timetolive", LEASE, LEASE_STATE),
  memberList: rpc("Cluster", "MemberList", "cluster/member/list", EMPTY, MEMBERS),
  memberAdd: rpc(
    "Cluster",
    "MemberAdd",
    "cluster/member/add",
    message({ peerURLs: [1, "text", "repeated"] }),
    message({ header: [1, HEADER], member: [2, MEMBER] }),
  ),
  memberUpdate: rpc(
    "Cluster",
    "MemberUpdate",
    "cluster/member/update",
    message({ ID: [1, "uid"], peerURLs: [2, "text", "repeated"] }),
    MEMBERS,
  ),
  memberRemove: rpc(
    "Cluster",
    "MemberRemove",
    "cluster/member/remove",
    message({ ID: [1, "uid"] }),
    MEMBERS,
  ),
  status: rpc(
    "Maintenance",
    "Status",
    "maintenance/status",
    EMPTY,
    message({
      header: [1, HEADER],
      version: [2, "text"],
      dbSize: [3, "natural"],
      leader: [4, "uid"],
      errors: [8, "text", "repeated"],
      dbSizeInUse: [9, "natural"],
      dbSizeQuota: [12, "natural"],
    }),
  ),
  authenticate: rpc(
    "Auth",
    "Authenticate",
    "auth/authenticate",
    message({ name: [1, "text"], password: [2, "text"] }),
    message({ header: [1, HEADER], token: [2, "text"] }),
  ),
} as const;

function rpc<Request, Response>(
  service: string,
  method: string,
  path: string,
  request: MessageType<Request>,
  response: MessageType<Response>,
): Rpc<Request, Response> {
  return { service, grpcPath: `/etcdserverpb.${service}/${method}`, path, request, response };
}

/** The header of every response: the responding cluster and member, and its state. */
export type ResponseHeader = MessageOf<typeof HEADER>;
/** A key at one revision. */
export type KeyValue = MessageOf<typeof KEY_VALUE>;
export type RangeRequest = MessageInit<MessageOf<typeof RANGE_REQUEST>>;
export type PutResponse = MessageOf<typeof PUT_RESPONSE>;
/** One comparison of a transaction. On a range it must be true for every key. */
export type Compare = MessageInit<MessageOf<typeof COMPARE>>;
/** One operation of a transaction. */
export type RequestOp = MessageInit<RequestOpMessage>;
export type TxnRequest = MessageInit<MessageOf<typeof TXN_REQUEST>>;
export type TxnResponse = MessageOf<typeof TXN_RESPONSE>;
export type WatchCreateRequest = MessageInit<MessageOf<typeof WATCH_CREATE_REQUEST>>;
/** One message of a watch. */
export type WatchResponse = MessageOf<typeof WATCH_RESPONSE>;
export type V3Member = MessageOf<typeof MEMBER>;
