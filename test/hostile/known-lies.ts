/** Lies that are known to be dangerous: hand-made, without chance. */

import type { Answer } from "./delivery.js";
import { ERROR_BODIES } from "./error-bodies.js";
import type { Http1Request } from "./etcd-truth.js";
import type { Addresses, Protocol } from "./exchange-plan.js";
import { chunkOf, type Fields, headOf } from "./http1-lies.js";
import { HTTP2_LIES } from "./http2-known-lies.js";
import { V2_BODIES } from "./v2-bodies.js";
import { V3_MESSAGES } from "./v3-messages.js";

type Http1Lie = (request: Http1Request, addresses: Addresses) => Answer;

const ETCD_FIELDS: Fields = [
  ["content-type", "application/json"],
  ["x-etcd-cluster-id", "cdf818194e3a8c32"],
  ["x-etcd-index", "7"],
  ["x-raft-index", "9"],
  ["x-raft-term", "2"],
];

function answer(status: string, body: string, fields: Fields = ETCD_FIELDS): Answer {
  const length = ["content-length", `${Buffer.byteLength(body)}`] as const;
  return {
    bytes: Buffer.from(headOf(`HTTP/1.1 ${status}`, [...fields, length]) + body),
    after: "stay",
  };
}

function redirect(location: string): Answer {
  return answer("307 Temporary Redirect", "", [["location", location]]);
}

/** Begins with a head, and sends bytes without end. */
function endless(head: string, again: string): Answer {
  return {
    bytes: Buffer.from(head),
    endlessly: Buffer.from(again.repeat(Math.ceil(60_000 / again.length))),
    after: "stay",
  };
}

/** A response with the body, and with another header in the place of one of etcd. */
function withHeader(name: string, value: string): Http1Lie {
  const fields = [...ETCD_FIELDS.filter(([each]) => each !== name), [name, value] as const];
  return ({ path }) => answer("200 OK", bodyFor(path), fields);
}

const GOOD_NODE = { key: "/a", value: "1", modifiedIndex: 7, createdIndex: 7 };

function bodyFor(path: string): string {
  if (path.startsWith("/v3/"))
    return '{"header":{"cluster_id":"1","member_id":"1","revision":"5","raft_term":"2"}}';
  return JSON.stringify({ action: "get", node: GOOD_NODE });
}

const CHUNKED = headOf("HTTP/1.1 200 OK", [...ETCD_FIELDS, ["transfer-encoding", "chunked"]]);
let clusters = 0;

const HTTP1_LIES: Readonly<Record<string, Http1Lie>> = {
  "redirect to another origin": ({ path }, { bystander }) => redirect(bystander + path),
  "redirect to another origin without a scheme": ({ path }, { bystander }) =>
    redirect(bystander.slice(bystander.indexOf("//")) + path),
  "redirect with credentials in the URL": ({ path }, { bystander }) =>
    redirect(bystander.replace("//", "//user:password@") + path),
  "redirect to the other scheme": ({ path }, { url }) =>
    redirect(
      (url.startsWith("https") ? url.replace("https", "http") : url.replace("http", "https")) +
        path,
    ),
  "redirect to the same place": ({ path }) => redirect(path),
  "redirect to longer and longer paths": ({ path }) =>
    redirect(`${path}${path.includes("?") ? "&" : "?"}x`),
  "redirect to no URL": () => redirect("http://["),
  "informational responses without end": () =>
    endless("", "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"),
  "100 Continue without end": () => endless("", "HTTP/1.1 100 Continue\r\n\r\n"),
  "101 Switching Protocols": () =>
    answer("101 Switching Protocols", "", [
      ["upgrade", "h2c"],
      ["connection", "upgrade"],
    ]),
  "headers without end": () => endless("HTTP/1.1 200 OK\r\n", "a: b\r\n"),
  "one header without end": () => endless("HTTP/1.1 200 OK\r\na: ", "b"),
  "a status line without end": () => endless("HTTP/1.1 200 ", "O"),
  "a body without end": () => endless(headOf("HTTP/1.1 200 OK", ETCD_FIELDS), "x"),
  "lines without end": () => endless(CHUNKED, "1\r\n\n\r\n"),
  "chunks of one byte without end": () => endless(CHUNKED, "1\r\nx\r\n"),
  "chunk extensions without end": () => endless(`${CHUNKED}1;`, "e"),
  "trailers without end": () => endless(`${CHUNKED}0\r\n`, "a: b\r\n"),
  "a good body in chunks of one byte": ({ path }) => ({
    bytes: Buffer.from(`${CHUNKED + [...bodyFor(path)].map(chunkOf).join("")}0\r\n\r\n`),
    after: "stay",
  }),
  "no response": () => ({ bytes: Buffer.alloc(0), after: "stay" }),
  "only a head": () => ({ bytes: Buffer.from(CHUNKED), after: "stay" }),
  "a body that ends early": () => ({
    bytes: Buffer.from(headOf("HTTP/1.1 200 OK", [...ETCD_FIELDS, ["content-length", "99999"]])),
    after: "end",
  }),
  "two lengths": ({ path }) =>
    answer("200 OK", bodyFor(path), [...ETCD_FIELDS, ["content-length", "1"]]),
  compressed: ({ path }) =>
    answer("200 OK", bodyFor(path), [...ETCD_FIELDS, ["content-encoding", "gzip"]]),
  "no content": () => answer("204 No Content", ""),
  "another type": () =>
    answer("200 OK", "<!doctype html><title>Login</title>", [["content-type", "text/html"]]),
  "another cluster in each response": ({ path }) =>
    answer("200 OK", bodyFor(path), [
      ...ETCD_FIELDS.slice(2),
      ["x-etcd-cluster-id", `${++clusters}`],
    ]),
  "a cluster id with control characters": withHeader("x-etcd-cluster-id", "\x1b[2J\x07"),
  "a large cluster id": withHeader("x-etcd-cluster-id", "f".repeat(10_000)),
  "a second response": ({ path }) => {
    const { bytes } = answer("200 OK", bodyFor(path));
    return { bytes: Buffer.concat([bytes, bytes, bytes]), after: "stay" };
  },
  ...Object.fromEntries(
    ["-1", "NaN", "", "1e3", "9007199254740992", "9".repeat(40), "0"].map((value) => [
      `the index ${value.slice(0, 20)}`,
      withHeader("x-etcd-index", value),
    ]),
  ),
  ...Object.fromEntries(
    ERROR_BODIES.map(({ status, body }) => [
      `${status} ${body.slice(0, 150)}`,
      () => answer(`${status} Bad`, body),
    ]),
  ),
};

const lies = (named: Readonly<Record<string, string>>): Record<string, Http1Lie> =>
  Object.fromEntries(
    Object.entries(named).map(([name, body]) => [name, () => answer("200 OK", body)]),
  );

/** Names the bystander as a member. */
const MEMBERS: Readonly<Record<"v2" | "json", Http1Lie>> = {
  v2: (_, { bystander }) => {
    const member = { id: "1", name: "a", peerURLs: [bystander], clientURLs: [bystander] };
    return answer("200 OK", JSON.stringify({ members: [member] }));
  },
  json: (_, { bystander }) => {
    const header = { cluster_id: "1", member_id: "1", revision: "5", raft_term: "1" };
    return answer(
      "200 OK",
      JSON.stringify({ header, members: [{ ID: "1", clientURLs: [bystander] }] }),
    );
  },
};

/** The lies of each protocol, by name. */
export const KNOWN_HTTP1_LIES: Readonly<Record<"v2" | "json", Readonly<Record<string, Http1Lie>>>> =
  {
    v2: { ...lies(V2_BODIES), "a member elsewhere": MEMBERS.v2, ...HTTP1_LIES },
    json: {
      ...lies(Object.fromEntries(V3_MESSAGES.map(({ name, json }) => [name, json]))),
      "a member elsewhere": MEMBERS.json,
      ...HTTP1_LIES,
    },
  };

/** The names of the lies of a protocol. */
export function knownLies(protocol: Protocol): readonly string[] {
  return Object.keys(protocol === "grpc" ? HTTP2_LIES : KNOWN_HTTP1_LIES[protocol]);
}
