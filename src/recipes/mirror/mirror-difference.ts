import type { EtcdNode } from "../../model/node.js";
import { changeOf, type MirrorChange } from "./mirror-change.js";
import type { MirrorTree } from "./mirror-tree.js";

/**
 * The changes that turn one copy into the other: first removals, children before their directory,
 * then new and changed nodes, directories before their children.
 */
export function differences(before: MirrorTree, after: MirrorTree): MirrorChange[] {
  const gone: MirrorChange[] = [];
  for (const node of before.all()) {
    const { key } = node;
    if (after.get(key) === undefined) gone.push(changeOf("resync", key, node, undefined));
  }
  const changes = gone.reverse();
  for (const node of after.all()) {
    const former = before.get(node.key);
    if (former === undefined || differs(former, node)) {
      changes.push(changeOf("resync", node.key, former, node));
    }
  }
  return changes;
}

/**
 * Whether two nodes differ in more than indexes and the time of expiration. A silent refresh changes
 * those too.
 */
function differs(a: EtcdNode, b: EtcdNode): boolean {
  const expires = (node: EtcdNode): boolean => node.expiration !== undefined;
  return a.value !== b.value || a.dir !== b.dir || expires(a) !== expires(b);
}
