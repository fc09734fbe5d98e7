import type { KeySpace } from "../../key-space/key-space.js";
import type { AnyNode, EtcdNode } from "../../model/node.js";

type Readable = Pick<KeySpace, "execute">;

/** Shows the nodes of a tree with TTLs that are longer by some seconds. */
export function withLongerTtls(tree: Readable, seconds: number): Readable {
  const execute = async (...call: Parameters<Readable["execute"]>) => {
    const response = await tree.execute(...call);
    return { ...response, node: longer(response.node, seconds) };
  };
  return { execute };
}

function longer<Node extends AnyNode>(node: Node, seconds: number): Node {
  const { ttl, nodes } = node as EtcdNode;
  return {
    ...node,
    ...(ttl !== undefined && { ttl: ttl + seconds }),
    ...(nodes !== undefined && { nodes: nodes.map((each) => longer(each, seconds)) }),
  };
}
