/** The calls of etcd's gRPC API that etcdnet uses, with the fields of their messages. */

import { MessageType } from "./protobuf/message-type.js";

/** One gRPC method. */
export interface Rpc {
  /** Path of the HTTP request. */
  readonly path: string;
  readonly request: MessageType;
  readonly response: MessageType;
}

const HEADER = new MessageType({
  cluster_id: [1, "uid"],
  member_id: [2, "uid"],
  revision: [3, "integer"],
  raft_term: [4, "integer"],
});

const KEY_VALUE = new MessageType({
  key: [1, "bytes"],
  create_revision: [2, "integer"],
  mod_revision: [3, "integer"],
  version: [4, "integer"],
  value: [5, "bytes"],
  lease: [6, "id"],
});

const RANGE_REQUEST = new MessageType({
  key: [1, "bytes"],
  range_end: [2, "bytes"],
  limit: [3, "integer"],
  revision: [4, "integer"],
  serializable: [7, "flag"],
  keys_only: [8, "flag"],
});

const RANGE_RESPONSE = new MessageType({
  header: [1, HEADER],
  kvs: [2, KEY_VALUE, "repeated"],
  more: [3, "flag"],
  count: [4, "integer"],
});

const PUT_REQUEST = new MessageType({
  key: [1, "bytes"],
  value: [2, "bytes"],
  lease: [3, "id"],
  prev_kv: [4, "flag"],
  ignore_value: [5, "flag"],
  ignore_lease: [6, "flag"],
});

const PUT_RESPONSE = new MessageType({ header: [1, HEADER], prev_kv: [2, KEY_VALUE] });

const DELETE_REQUEST = new MessageType({
  key: [1, "bytes"],
  range_end: [2, "bytes"],
  prev_kv: [3, "flag"],
});

const DELETE_RESPONSE = new MessageType({
  header: [1, HEADER],
  deleted: [2, "integer"],
  prev_kvs: [3, KEY_VALUE, "repeated"],
});

const COMPARE = new MessageType({
  result: [1, ["EQUAL", "GREATER", "LESS", "NOT_EQUAL"]],
  target: [2, ["VERSION", "CREATE", "MOD", "VALUE", "LEASE"]],
  key: [3, "bytes"],
  version: [4, "integer"],
  create_revision: [5, "integer"],
  mod_revision: [6, "integer"],
  value: [7, "bytes"],
  lease: [8, "id"],
  range_end: [64, "bytes"],
});

const OPERATION: MessageType = new MessageType({
  request_range: [1, RANGE_REQUEST],
  request_put: [2, PUT_REQUEST],
  request_delete_range: [3, DELETE_REQUEST],
  request_txn: [4, () => TXN_REQUEST],
});

const TXN_REQUEST: MessageType = new MessageType({
  compare: [1, COMPARE, "repeated"],
  success: [2, OPERATION, "repeated"],
  failure: [3, OPERATION, "repeated"],
});

const OPERATION_RESPONSE: MessageType = new MessageType({
  response_range: [1, RANGE_RESPONSE],
  response_put: [2, PUT_RESPONSE],
  response_delete_range: [3, DELETE_RESPONSE],
  response_txn: [4, () => TXN_RESPONSE],
});

const TXN_RESPONSE: MessageType = new MessageType({
  header: [1, HEADER],
  succeeded: [2, "flag"],
  responses: [3, OPERATION_RESPONSE, "repeated"],
});

const WATCH_REQUEST = new MessageType({
  create_request: [
    1,
    new MessageType({
      key: [1, "bytes"],
      range_end: [2, "bytes"],
      start_revision: [3, "integer"],
      progress_notify: [4, "flag"],
      prev_kv: [6, "flag"],
      fragment: [8, "flag"],
    }),
  ],
});

const EVENT = new MessageType({
  type: [1, ["PUT", "DELETE"]],
  kv: [2, KEY_VALUE],
  prev_kv: [3, KEY_VALUE],
});

const WATCH_RESPONSE = new MessageType({
  header: [1, HEADER],
  created: [3, "flag"],
  canceled: [4, "flag"],
  compact_revision: [5, "integer"],
  cancel_reason: [6, "text"],
  fragment: [7, "flag"],
  events: [11, EVENT, "repeated"],
});

const MEMBER = new MessageType({
  ID: [1, "uid"],
  name: [2, "text"],
  peerURLs: [3, "text", "repeated"],
  clientURLs: [4, "text", "repeated"],
});

const MEMBERS = new MessageType({ header: [1, HEADER], members: [2, MEMBER, "repeated"] });

const LEASE = new MessageType({ ID: [1, "id"] });

const LEASE_STATE = new MessageType({ header: [1, HEADER], ID: [2, "id"], TTL: [3, "integer"] });

const EMPTY = new MessageType({});

/** By path in the JSON gateway, below `/v3/`. */
export const RPCS: Readonly<Record<string, Rpc>> = {
  "kv/range": rpc("KV/Range", RANGE_REQUEST, RANGE_RESPONSE),
  "kv/put": rpc("KV/Put", PUT_REQUEST, PUT_RESPONSE),
  "kv/deleterange": rpc("KV/DeleteRange", DELETE_REQUEST, DELETE_RESPONSE),
  "kv/txn": rpc("KV/Txn", TXN_REQUEST, TXN_RESPONSE),
  watch: rpc("Watch/Watch", WATCH_REQUEST, WATCH_RESPONSE),
  "lease/grant": rpc(
    "Lease/LeaseGrant",
    new MessageType({ TTL: [1, "integer"], ID: [2, "id"] }),
    LEASE_STATE,
  ),
  "lease/revoke": rpc("Lease/LeaseRevoke", LEASE, new MessageType({ header: [1, HEADER] })),
  "lease/timetolive": rpc("Lease/LeaseTimeToLive", LEASE, LEASE_STATE),
  "cluster/member/list": rpc("Cluster/MemberList", EMPTY, MEMBERS),
  "cluster/member/add": rpc(
    "Cluster/MemberAdd",
    new MessageType({ peerURLs: [1, "text", "repeated"] }),
    new MessageType({ header: [1, HEADER], member: [2, MEMBER] }),
  ),
  "cluster/member/update": rpc(
    "Cluster/MemberUpdate",
    new MessageType({ ID: [1, "uid"], peerURLs: [2, "text", "repeated"] }),
    MEMBERS,
  ),
  "cluster/member/remove": rpc(
    "Cluster/MemberRemove",
    new MessageType({ ID: [1, "uid"] }),
    MEMBERS,
  ),
  "maintenance/status": rpc(
    "Maintenance/Status",
    EMPTY,
    new MessageType({
      header: [1, HEADER],
      version: [2, "text"],
      leader: [4, "uid"],
      errors: [8, "text", "repeated"],
    }),
  ),
  "auth/authenticate": rpc(
    "Auth/Authenticate",
    new MessageType({ name: [1, "text"], password: [2, "text"] }),
    new MessageType({ header: [1, HEADER], token: [2, "text"] }),
  ),
};

function rpc(method: string, request: MessageType, response: MessageType): Rpc {
  return { path: `/etcdserverpb.${method}`, request, response };
}
