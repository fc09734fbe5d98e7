import { isUtf8 } from "node:buffer";
import { randomUUID } from "node:crypto";
import { KeyNotFoundError } from "../../errors/common-errors.js";
import { RPC } from "../../etcd3/rpcs.js";
import type { EtcdNode } from "../../model/node.js";
import { ConsoleError, keyIn, numberIn } from "../http/json-exchange.js";
import type { Session } from "../http/sessions.js";
import type { KeyAnswer, ListedNode, ListingPage } from "../model/page-types.js";
import type { ConsoleRequest } from "./route.js";

/** Nodes of one page of a listing. */
const MAX_PAGE_NODES = 5_000;
/** Characters of a value that a listing shows. */
const START_CHARS = 80;

/**
 * A page of the children of a directory. The first page reads the directory once; the others are of the same moment,
 * so that none misses a node because another one was removed.
 */
export async function listChildren({ session, query, signal }: ConsoleRequest) {
  const key = keyIn(query);
  const from = numberIn(query, "from", 0);
  const limit = Math.min(MAX_PAGE_NODES, Math.max(1, numberIn(query, "limit", MAX_PAGE_NODES)));
  const id = query.get("listing");
  const listing = id === null ? undefined : session.listing(id);
  if (listing !== undefined) return pageOf(listing, from, limit);
  if (id !== null) throw new ConsoleError(410, "the listing is too old; read it again");
  const { node, etcdIndex: index } = await session.etcd.getNode(key, {
    sorted: true,
    quorum: true,
    signal,
  });
  if (!node.dir) throw new ConsoleError(409, `${key} is no directory`);
  const nodes = (node.nodes ?? []).map(listed);
  const read = { id: randomUUID(), key, index, nodes };
  if (nodes.length > limit) session.keepListing(read);
  return pageOf(read, from, limit);
}

function pageOf(
  { id, key, index, nodes }: Pick<ListingPage, "key" | "index" | "nodes"> & { readonly id: string },
  from: number,
  limit: number,
): ListingPage {
  const page = nodes.slice(from, from + limit);
  return { key, listing: id, index, total: nodes.length, from, nodes: page };
}

function listed({ key, dir, value, modifiedIndex: index, ttl }: EtcdNode): ListedNode {
  return {
    name: key.slice(key.lastIndexOf("/") + 1),
    dir: dir === true,
    index,
    ...(value !== undefined && { start: startOf(value), length: value.length }),
    ...(ttl !== undefined && { ttl }),
  };
}

function startOf(value: string): string {
  return value.slice(0, START_CHARS).toWellFormed();
}

/** A key by its name, also a hidden one. */
export async function showKey({ session, query, signal }: ConsoleRequest): Promise<KeyAnswer> {
  try {
    const { node, etcdIndex: index } = await session.etcd.getNode(keyIn(query), {
      quorum: true,
      signal,
    });
    const { key, dir, value, nodes, createdIndex, modifiedIndex, ttl } = node;
    const bytes = await bytesOf(session, node, signal);
    return {
      index,
      node: {
        ...{ key, dir: dir === true, createdIndex, modifiedIndex },
        ...(value !== undefined && { value }),
        ...(bytes !== undefined && { bytes: bytes.toString("base64") }),
        ...(dir && { children: nodes?.length ?? 0 }),
        ...(ttl !== undefined && { ttl }),
      },
    };
  } catch (error) {
    if (error instanceof KeyNotFoundError) return { index: error.index };
    throw error;
  }
}

/**
 * The bytes of a value that are not UTF-8. The key space shows U+FFFD in place of them, so etcd itself is asked, and
 * its key must be the node that was read. `undefined`: they are UTF-8, or not known, as with the v2 API.
 */
async function bytesOf(
  session: Session,
  { key, value, createdIndex, modifiedIndex }: EtcdNode,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  const store = value?.includes("\ufffd") ? session.v3Store() : undefined;
  if (store === undefined) return undefined;
  const { api, schema } = store;
  const call = { operation: `GET ${key}`, key, safety: "read", scope: "quorum", signal } as const;
  const name = schema.file(`${session.prefix}${key}`);
  const [kv] = (await api.call(RPC.range, { key: name }, call)).message.kvs;
  if (kv === undefined || isUtf8(kv.value) || kv.value.toString() !== value) return undefined;
  const isSame = kv.mod_revision - kv.create_revision === modifiedIndex - createdIndex;
  return isSame ? kv.value : undefined;
}
