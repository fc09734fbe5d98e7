import type { EtcdClient } from "../../client/etcd-client.js";
import type { EtcdNode } from "../../model/node.js";
import { descendants } from "../output/print-response.js";
import { hasHiddenPart, isBelow } from "./key-path.js";
import type { WantedTree } from "./wanted-tree.js";

/** The nodes of a cluster by key. */
export type CurrentNodes = ReadonlyMap<string, EtcdNode>;

/** Reads what the cluster has where files may write, with quorum reads. */
export async function readCurrent(
  etcd: EtcdClient,
  wanted: WantedTree,
  scope: string | undefined,
): Promise<CurrentNodes> {
  const current = new Map<string, EtcdNode>();
  for (const top of topsOf(wanted, scope)) {
    const response = await etcd.getNode(top, {
      ...{ recursive: true, sorted: true, quorum: true, ignoreKeyNotFound: true },
    });
    if (response === null) continue;
    const { node } = response;
    for (const each of [node, ...descendants(node)]) current.set(each.key, each);
  }
  return current;
}

/** The keys to read: the directory or the keys of the files, and hidden keys, which listings do not show. */
function topsOf(wanted: WantedTree, scope: string | undefined): ReadonlySet<string> {
  const tops = scope === undefined ? outermost(wanted.tops) : [scope];
  const all = new Set(tops);
  for (const { key } of wanted.nodes) {
    const top = tops.find((each) => key === each || isBelow(key, each)) ?? "/";
    if (!hasHiddenPart(key, top)) continue;
    const hidden = key.indexOf("/_", top === "/" ? 0 : top.length);
    const end = key.indexOf("/", hidden + 1);
    all.add(end < 0 ? key : key.slice(0, end));
  }
  return all;
}

function outermost(keys: ReadonlySet<string>): readonly string[] {
  return [...keys].filter((key) => ![...keys].some((other) => isBelow(key, other)));
}
