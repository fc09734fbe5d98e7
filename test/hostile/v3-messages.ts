/** Messages of the v3 API that etcd never sends. Each one is the response to every call. */

import { fromJson } from "../../src/etcd3/json-form.js";
import type { MessageType } from "../../src/etcd3/protobuf/message-type.js";
import { RPC } from "../../src/etcd3/rpcs.js";
import { toBase64 } from "../support/base64.js";

interface V3Message {
  readonly name: string;
  readonly json: string;
  /** `undefined` for a message that only JSON can represent. */
  readonly bytes: Buffer | undefined;
}

const HEADER = { cluster_id: "1", member_id: "1", revision: "5", raft_term: "1" };

function of(name: string, type: MessageType<unknown>, message: object): V3Message {
  const content = { header: HEADER, ...message };
  return { name, json: JSON.stringify(content), bytes: encoded(type, content) };
}

function encoded(type: MessageType<unknown>, content: object): Buffer | undefined {
  try {
    return type.encode(fromJson(type, { ...content }) as object);
  } catch {
    return undefined;
  }
}

const kv = (key: string, more: object = {}) => ({
  ...{
    key: toBase64(key),
    value: toBase64("1"),
    create_revision: "3",
    mod_revision: "4",
    version: "1",
    ...more,
  },
});

const TXN = RPC.txn.response;
const WATCH = RPC.watch.response;
const txn = (name: string, message: object) => of(name, TXN, message);
/** Each operation of a transaction finds these keys. */
const finds = (name: string, range: object, more: object = {}) =>
  txn(name, { succeeded: true, responses: Array(12).fill({ response_range: range }), ...more });
/** A message of a watch. JSON wraps it. */
const watch = (name: string, message: object): V3Message => {
  const { bytes, json } = of(name, WATCH, message);
  return { name: `watch: ${name}`, json: `{"result":${json}}\n`, bytes };
};

function nestedTxn(depth: number): object {
  return depth === 0 ? {} : { responses: [{ response_txn: nestedTxn(depth - 1) }] };
}

const LEASES = ["-1", "0", "1", "9223372036854775807", "-9223372036854775808"] as const;

export const V3_MESSAGES: readonly V3Message[] = [
  txn("no header", { header: undefined }),
  txn("a header without a revision", { header: { cluster_id: "1" } }),
  ...["-1", "0", "9007199254740991", "9223372036854775807", "-9223372036854775808"].map(
    (revision) =>
      finds(`the revision ${revision}`, { kvs: [kv("/a")] }, { header: { ...HEADER, revision } }),
  ),
  txn("a negative Raft term", {
    header: { ...HEADER, raft_term: "-1" },
    succeeded: true,
    responses: [],
  }),
  txn("another cluster", {
    header: { ...HEADER, cluster_id: "18446744073709551615" },
    succeeded: true,
  }),
  txn("no responses", { succeeded: true, responses: [] }),
  txn("empty responses", { succeeded: true, responses: Array(12).fill({}) }),
  txn("conflicts without end", { succeeded: false, ...nestedTxn(3) }),
  txn("nested transactions", nestedTxn(150)),
  txn("too deeply nested transactions", nestedTxn(400)),
  finds("a key with a negative revision", {
    kvs: [kv("/a", { mod_revision: "-5", create_revision: "-9" })],
  }),
  finds("a key with a large revision", { kvs: [kv("/a", { mod_revision: "9007199254740991" })] }),
  finds("another key", { kvs: [kv("/other")] }),
  finds("an empty key", { kvs: [kv("")] }),
  finds("a key that is not UTF-8", { kvs: [{ key: "/////w==", mod_revision: "4" }] }),
  finds("many keys with one name", { kvs: Array(2_000).fill(kv("/d/1")) }),
  finds("more pages without keys", { kvs: [], more: true }),
  finds("more pages without end", { kvs: [kv("/d/1")], more: true }),
  finds("more pages without end, out of order", {
    kvs: [kv("/d/9"), kv("/d/1")],
    more: true,
    count: "-1",
  }),
  ...LEASES.map((lease) => finds(`the lease ${lease}`, { kvs: [kv("/a", { lease })] })),
  finds("an index offset", { kvs: [kv("/a", { value: toBase64("9007199254740991") })] }),
  finds("an index offset that is no number", { kvs: [kv("/a", { value: toBase64("x") })] }),
  ...["-1", "0", "9007199254740991", "-9007199254740991", "9223372036854775807"].map((TTL) =>
    of(`the TTL ${TTL}`, RPC.leaseTimeToLive.response, { ID: "7", TTL }),
  ),
  ...["", "a\r\nb: c", "\0", "ü", "x".repeat(100_000)].map((token) =>
    of(`the token ${JSON.stringify(token.slice(0, 20))}`, RPC.authenticate.response, { token }),
  ),
  of("no members", RPC.memberList.response, { members: [] }),
  of("members without names", RPC.memberList.response, {
    members: [{}, { clientURLs: ["x", "http://["] }],
  }),
  of("many members", RPC.memberList.response, {
    members: Array.from({ length: 500 }, (_, at) => ({
      ID: `${at}`,
      clientURLs: [`http://127.0.0.1:${at + 1}`],
    })),
  }),
  ...["", "<b>", "3", "3.", "\x1b[2J.1"].map((version) =>
    of(`the version ${JSON.stringify(version)}`, RPC.status.response, { version, leader: "1" }),
  ),
  of("alarms", RPC.status.response, {
    version: "3.5.0",
    leader: "0",
    errors: Array(1_000).fill("x"),
  }),
  watch("created again and again", { created: true }),
  watch("created and canceled", { created: true, canceled: true, cancel_reason: "x" }),
  watch("canceled without a permission", {
    created: true,
    canceled: true,
    cancel_reason: "etcdserver: permission denied",
  }),
  watch("compacted", { created: true, canceled: true, compact_revision: "4" }),
  watch("compacted in the future", {
    created: true,
    canceled: true,
    compact_revision: "9007199254740991",
  }),
  watch("a negative compaction", { created: true, compact_revision: "-1" }),
  watch("a fragment without end", { created: true, fragment: true, events: [{ kv: kv("/d/1") }] }),
  watch("an event without a key", { created: true, events: [{}] }),
  watch("events out of order", {
    created: true,
    events: ["9", "3", "9007199254740991", "-2"].map((mod_revision) => ({
      kv: kv("/d/1", { mod_revision }),
    })),
  }),
  watch("an event far in the future", {
    header: { ...HEADER, revision: "9007199254740991" },
    events: [{ type: "PUT", kv: kv("/d/1", { mod_revision: "9007199254740990" }) }],
  }),
  watch("an event with an odd lease", {
    events: [{ kv: kv("/d/1", { lease: "-1", mod_revision: "6" }) }],
  }),
  ...["[]", "null", '{"result":null}', '{"error":5}', '{"header":5}', "[".repeat(100_000)].map(
    (json) => ({
      ...{ name: json.slice(0, 20), json, bytes: undefined },
    }),
  ),
];
