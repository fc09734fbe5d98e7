import { parseMediaType } from "../../src/go/media-type.js";
import { cleanPath } from "../../src/server/http/clean-path.js";
import { decodeBytes, decodePath, isWellEscaped } from "../../src/wire/decode-path.js";
import { readForm } from "../../src/wire/form.js";
import { type DecodedRequest, decodeKeyRequest } from "../../src/wire/key-parameters.js";

const FORM = "application/x-www-form-urlencoded";
const TARGET = /^(?:http:\/\/[^/]*)?([^?]*)\??(.*)$/s;

/** A request as it is sent; its texts hold one character per byte. */
export interface RawRequest {
  readonly method: string;
  readonly target: string;
  readonly type?: string | undefined;
  readonly body?: string | undefined;
}

/** One step of a sequence; its texts may hold placeholders, see {@link resolve}. */
export interface Call extends RawRequest {
  readonly kind: "call";
}

/** Waits until everything with a short TTL has expired on both servers. */
interface Settle {
  readonly kind: "settle";
}

export type Step = Call | Settle;

/** Steps on an empty directory, or on the root when that is empty. */
export interface Sequence {
  readonly root: boolean;
  /** Whether our server is reached through a socket instead of by a call of its handler. */
  readonly sockets: boolean;
  readonly steps: readonly Step[];
}

/** What placeholders stand for. */
export interface Bearings {
  /** Path of the sequence's directory; empty for the root. */
  readonly directory: string;
  readonly index: number;
  /** `modifiedIndex` that an answer gave last, by key. */
  readonly modifiedIndexes: ReadonlyMap<string, number>;
}

/**
 * Puts in what is only known while a sequence runs: `{d}` is its directory, `{i}`, `{i+2}` and
 * `{i-1}` count from the current index, `{m}` is the modifiedIndex of the key that was seen last, and `{n+1}` is a name
 * as POST makes it, counted from the current index.
 */
export function resolve(call: Call, bearings: Bearings): RawRequest {
  const key = `${bearings.directory}${/^\/v2\/keys\{d\}([^?]*)/.exec(call.target)?.[1]}`;
  const fill = (text: string): string =>
    text.replace(/\{([dimn])([+-]\d+)?\}/g, (_match, name: string, by = "0") => {
      if (name === "d") return bearings.directory;
      if (name === "m") return String(bearings.modifiedIndexes.get(key) ?? bearings.index);
      const index = String(Math.max(1, bearings.index + Number(by)));
      return name === "i" ? index : index.padStart(20, "0");
    });
  const { method, target, type, body } = call;
  return { method, target: fill(target), type, body: body === undefined ? body : fill(body) };
}

/** How our own decoder understands a request of `/v2/keys`; nothing when it refuses it. */
export function meaningOf({
  method,
  target,
  type,
  body = "",
}: RawRequest): DecodedRequest | undefined {
  if (method !== "GET" && method !== "PUT" && method !== "POST" && method !== "DELETE") return;
  const [, sent = "", query = ""] = TARGET.exec(target) ?? [];
  const isForm = method[0] === "P" && parseMediaType(type ?? "").type === FORM;
  try {
    const path = decodePath(sent);
    const [, key] = /^\/v2\/keys((?:\/.*)?)$/s.exec(path) ?? [];
    if (key === undefined || !isWellEscaped(sent) || cleanPath(path) !== path) return undefined;
    return decodeKeyRequest(method, key || "/", readForm(isForm ? body : "", decodeBytes(query)));
  } catch {
    return undefined;
  }
}
