import { isUtf8 } from "node:buffer";
import type { KeyRange } from "../../../etcd3/transaction.js";
import { percentEncode } from "../../../wire/key-path.js";

/**
 * Maximum number of levels of a path: etcd accepts 128 comparisons in the transaction that creates
 * a node.
 */
export const MAX_V3_LEVELS = 62;

/** Segments that v2 paths cannot have: empty, `.` and `..`, and so `/` at the end. */
const UNREACHABLE = /\/\.{0,2}(?:\/|$)/;

/**
 * Prefix of the keys outside of all trees. `_` is greater than `/`, so no range of a tree contains
 * them: a tree's range ends at the prefix and `0`, and no prefix may start like this.
 */
const RESERVED_PREFIX = "etcdnet_";
/** Prefix of the keys that register the prefixes in use. */
const TREES_PREFIX = `${RESERVED_PREFIX}trees/`;

/**
 * Prefix of the key space with the users and roles of the gateways of a prefix. No range of another
 * prefix's users contains it, because the encoded prefix has no `=`.
 */
export function authPrefix(keyPrefix: string): string {
  return `${RESERVED_PREFIX}auth/${percentEncode(keyPrefix)}=`;
}

/** Like {@link authPrefix}, for the records of a cut-over to the tree with that prefix. */
export function cutoverPrefix(keyPrefix: string): string {
  return `${RESERVED_PREFIX}cutover/${percentEncode(keyPrefix)}=`;
}

/**
 * Prefix of the keys with the indexes that nodes had before a switch. It is followed by the path. The tree with the records
 * of the cut-over does not contain it: `i` is greater than `0`.
 *
 * @param switches number of the switch, from 1 on
 */
export function keptIndexesPrefix(keyPrefix: string, switches: number): string {
  return `${cutoverPrefix(keyPrefix)}i${switches}`;
}

/** Whether a tree with this prefix would contain the keys outside of all trees. */
export function isReservedPrefix(keyPrefix: string): boolean {
  return keyPrefix.startsWith(RESERVED_PREFIX);
}

/** The v3 keys of a tree: see docs/v3.md. Paths are v2's; the root's is empty. */
export class KeySchema {
  readonly #prefix: string;
  readonly #records: string;
  /** Key of the action record. */
  readonly action: Buffer;
  /** Key of the index offset, which is added to revisions. */
  readonly offset: Buffer;
  /** Key of the heartbeat, which is written only to be seen by watches. */
  readonly heartbeat: string;
  /** Prefix of the idempotency records, which say what became of a write. */
  readonly idempotency: string;
  /**
   * Key that registers the prefix; `undefined` for a tree that is part of another tree's
   * administration.
   */
  readonly tree: string | undefined;

  constructor(keyPrefix = "") {
    this.#prefix = keyPrefix;
    this.#records = `${keyPrefix}\0etcdnet/`;
    this.action = Buffer.from(`${this.#records}action`);
    this.offset = Buffer.from(`${this.#records}offset`);
    this.heartbeat = `${this.#records}heartbeat`;
    this.idempotency = `${this.#records}idempotency/`;
    this.tree = isReservedPrefix(keyPrefix) ? undefined : treeKey(keyPrefix);
  }

  get keyPrefix(): string {
    return this.#prefix;
  }

  /** Values of {@link tree} for all prefixes whose trees would contain this one. */
  get outerTrees(): readonly string[] {
    const ends = [...this.#prefix.matchAll(/\//g)].map(({ index }) => index);
    return ends.map((end) => treeKey(this.#prefix.slice(0, end)));
  }

  /** Range of the values of {@link tree} for all prefixes inside this tree. */
  get innerTrees(): KeyRange {
    const start = `${TREES_PREFIX}${percentEncode(this.#prefix)}%2`;
    return { key: `${start}F`, range_end: `${start}G` };
  }

  /** The range of the tree and its records. */
  get everything(): KeyRange {
    return { key: `${this.#prefix}\0`, range_end: `${this.#prefix}0` };
  }

  /** For the root, which has no v3 key, a key that never exists. */
  file(path: string): string {
    return path === "" ? `${this.#records}root` : this.#prefix + path;
  }

  filesBelow(path: string): KeyRange {
    return below(this.#prefix + path);
  }

  marker(path: string): string {
    return `${this.#records}d${path}`;
  }

  markersBelow(path: string): KeyRange {
    return below(`${this.#records}d${path}`);
  }

  order(path: string): string {
    return `${this.#records}o${path}`;
  }

  ordersBelow(path: string): KeyRange {
    return below(`${this.#records}o${path}`);
  }

  ttl(path: string): string {
    return `${this.#records}t${path}`;
  }

  ttlsBelow(path: string): KeyRange {
    return below(`${this.#records}t${path}`);
  }

  /** Prefix of the path in the key of a file. */
  get filePrefix(): string {
    return this.#prefix;
  }

  /** Prefix of the path in the key of a marker. */
  get markerPrefix(): string {
    return `${this.#records}d`;
  }

  /** Prefix of the path in the key of an order record. */
  get orderPrefix(): string {
    return `${this.#records}o`;
  }

  /** Prefix of the path in the key of a TTL record. */
  get ttlPrefix(): string {
    return `${this.#records}t`;
  }

  /**
   * The meaning of a key of the tree's range; `undefined` for a key that is neither a v2 node nor a
   * record.
   */
  decode(key: Buffer): DecodedKey | undefined {
    if (key.equals(this.action)) return { kind: "action", path: "" };
    const text = utf8TextOf(key);
    if (text === undefined || !text.startsWith(this.#prefix)) return undefined;
    const decoded = text.startsWith(this.#records)
      ? decodeKey(text.slice(this.#records.length))
      : ({ kind: "file", path: text.slice(this.#prefix.length) } as const);
    return decoded && isReachable(decoded.path) ? decoded : undefined;
  }
}

/** The prefix that a {@link KeySchema.tree} key registers. */
export function prefixOfTree(key: Buffer): string {
  const text = utf8TextOf(key)?.slice(TREES_PREFIX.length) ?? "";
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function treeKey(keyPrefix: string): string {
  return TREES_PREFIX + percentEncode(keyPrefix);
}

/** The kind of a key, and the v2 path that it belongs to. */
export interface DecodedKey {
  readonly kind: "file" | "marker" | "order" | "ttl" | "action";
  readonly path: string;
}

function decodeKey(name: string): DecodedKey | undefined {
  const kind = KINDS.get(name.slice(0, 2));
  return kind && { kind, path: name.slice(1) };
}

const KINDS: ReadonlyMap<string, DecodedKey["kind"]> = new Map([
  ["d/", "marker"],
  ["o/", "order"],
  ["t/", "ttl"],
]);

/**
 * Whether a node can exist at a path. Keys with other paths do not exist in v2. A zero character
 * separates a prefix from its records, so a path that contains one could name the records of
 * another prefix.
 */
export function isReachable(path: string): boolean {
  return (
    path.startsWith("/") &&
    !path.includes("\0") &&
    !UNREACHABLE.test(path) &&
    levelsOf(path) <= MAX_V3_LEVELS
  );
}

/** Number of levels below the root. */
export function levelsOf(path: string): number {
  let levels = 0;
  for (let at = path.indexOf("/"); at !== -1; at = path.indexOf("/", at + 1)) levels++;
  return levels;
}

/** `0` is the character after `/`. */
function below(start: string): KeyRange {
  return { key: `${start}/`, range_end: `${start}0` };
}

/** The text of a key or a record; `undefined` if another program wrote bytes that are not UTF-8. */
export function utf8TextOf(bytes: Buffer): string | undefined {
  return isUtf8(bytes) ? bytes.toString() : undefined;
}
