import { type Bytes, type KeyRange, readPage } from "../../../etcd3/transaction.js";
import type { V3Call } from "../../../etcd3/v3-api.js";
import type { V3Tree } from "../schema/v3-tree.js";
import { keyAfter } from "./page-reader.js";

/** Number of keys per read. */
const PAGE_SIZE = 10_000;

/** The keys of a range, in byte order. */
export async function* allKeys(
  tree: V3Tree,
  { key: start, range_end }: KeyRange,
  call: V3Call,
): AsyncGenerator<Buffer, void, undefined> {
  let key: Bytes = start;
  for (;;) {
    const page = readPage({ key, range_end }, PAGE_SIZE, { keys_only: true });
    const { results } = await tree.read([page], call);
    const [{ kvs, more } = { kvs: [], more: false }] = results;
    for (const kv of kvs) yield kv.key;
    const last = kvs.at(-1);
    if (!more || last === undefined) return;
    key = keyAfter(last.key);
  }
}
