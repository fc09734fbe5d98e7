import type { Reply } from "./http-pipe.js";

export interface BodyExpectations {
  /** Whether the children of directories may come in any order. */
  readonly unsorted: boolean;
  /** Whether a createdIndex counts. */
  readonly created: boolean;
}

export interface Expectations extends BodyExpectations {
  /** Whether both came through sockets, so that how the body is framed can be compared. */
  readonly framing: boolean;
}

const EXPIRATION = /"expiration":"([^"]*)"(?:,"ttl":(-?\d+))?/g;
const CREATED = /"createdIndex":\d+/g;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,8}[1-9])?Z$/;
const FRAMING = new Set(["content-length", "transfer-encoding"]);
const IGNORED = new Set(["date", "connection", "keep-alive"]);
/** There, with some value: raft is etcd's own affair, and each cluster has its own id. */
const ANY_VALUE = new Set(["x-raft-index", "x-raft-term", "x-etcd-cluster-id"]);
/** Seconds that the two servers may be apart. */
const TOLERANCE = 10;

/** What is different between two answers, in words; nothing if they are the same. */
export function difference(etcd: Reply, ours: Reply, how: Expectations): string | undefined {
  return headDifference(etcd, ours, how) ?? bodyDifference(etcd.body, ours.body, how);
}

export function headDifference(
  etcd: Reply,
  ours: Reply,
  { framing, created }: Pick<Expectations, "framing" | "created">,
): string | undefined {
  if (etcd.status !== ours.status) return `status ${etcd.status} / ${ours.status}`;
  const headers = [headersOf(etcd), headersOf(ours)] as const;
  if (headers[0] !== headers[1]) return `headers\n${headers[0]}\n/\n${headers[1]}`;
  return framing ? framingDifference(etcd, ours, created) : undefined;
}

export function bodyDifference(
  etcd: string,
  ours: string,
  { unsorted, created }: BodyExpectations,
): string | undefined {
  const [a, b] = [masked(etcd, created), masked(ours, created)];
  if (a.text === b.text) {
    if (!a.times.every((time, index) => near(time, b.times[index]))) return "times";
  } else if (!unsorted || !sameSet(a.text, b.text)) return "body";
  return a.wellFormed && b.wellFormed ? undefined : "form of a time";
}

function headersOf({ headers }: Reply): string {
  const lines = [...headers]
    .filter(([name]) => !IGNORED.has(name) && !FRAMING.has(name))
    .map(([name, value]) => `${name}: ${ANY_VALUE.has(name) ? "*" : value}`);
  return lines.sort().join("\n");
}

/** Times differ in length from one server to the other, by up to nine digits each. */
function framingDifference(etcd: Reply, ours: Reply, created: boolean): string | undefined {
  const hasTimes = etcd.body === "" || etcd.body.includes('"expiration"');
  const [a, b] = [framingOf(etcd, created), framingOf(ours, created)];
  // What ends the connection need not say where it ends.
  if (a.kind === "" && etcd.headers.get("connection") === "close") return undefined;
  if (a.kind !== b.kind) {
    const close = hasTimes && etcd.body.length > 1800 && etcd.body.length < 2300;
    return close ? undefined : `framing ${a.kind} / ${b.kind}`;
  }
  if (Math.abs(a.length - b.length) > (hasTimes ? 40 : 0))
    return `length ${a.length} / ${b.length}`;
  return undefined;
}

/** The length is without the digits of each createdIndex, unless they count. */
function framingOf(
  { headers, body }: Reply,
  created: boolean,
): { readonly kind: string; readonly length: number } {
  const kind = [...FRAMING].filter((name) => headers.has(name)).join();
  const length = headers.get("content-length");
  if (length === undefined) return { kind, length: 0 };
  const ignored = created ? 0 : body.length - body.replace(CREATED, "").length;
  return { kind, length: Number(length) - ignored };
}

interface Masked {
  readonly text: string;
  /** Expiration and TTL of one node after the other. */
  readonly times: readonly number[];
  readonly wellFormed: boolean;
}

function masked(body: string, created: boolean): Masked {
  const times: number[] = [];
  let wellFormed = true;
  const text = body.replace(EXPIRATION, (_match, expiration: string, ttl = "0") => {
    times.push(Date.parse(expiration) / 1000, Number(ttl));
    wellFormed &&= TIME.test(expiration);
    return '"expiration":"*"';
  });
  const counted = created ? text : text.replace(CREATED, '"createdIndex":0');
  return { text: counted, times, wellFormed };
}

function near(a: number, b: number | undefined): boolean {
  return b !== undefined && Math.abs(a - b) <= TOLERANCE;
}

/** Whether two listings are the same but for the order of children. */
function sameSet(a: string, b: string): boolean {
  return a.includes('"nodes"') && a.length === b.length && inOrder(a) === inOrder(b);
}

function inOrder(json: string): string {
  const sorted: unknown = JSON.parse(json, (name, value: unknown) =>
    name === "nodes" && Array.isArray(value)
      ? value.map((each) => JSON.stringify(each)).sort()
      : value,
  );
  return JSON.stringify(sorted);
}
