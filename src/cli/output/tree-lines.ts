import { styleText } from "node:util";
import type { EtcdNode } from "../../model/node.js";
import { oneLine } from "./one-line.js";

/** One level of the drawing: its remaining nodes, in reverse order. */
interface Level {
  readonly nodes: EtcdNode[];
  readonly indent: string;
}

/** Draws a node with everything below it, one line each. No recursion: a tree may be deep. */
export function* treeLines(top: EtcdNode, values: boolean): Generator<string> {
  yield titleOf(top, oneLine(top.key), values);
  const levels: Level[] = [{ nodes: (top.nodes ?? []).toReversed(), indent: "" }];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const node = level.nodes.pop();
    if (node === undefined) {
      levels.pop();
      continue;
    }
    const isLast = level.nodes.length === 0;
    const name = oneLine(node.key.slice(node.key.lastIndexOf("/") + 1));
    yield `${level.indent}${isLast ? "└── " : "├── "}${titleOf(node, name, values)}`;
    const indent = `${level.indent}${isLast ? "    " : "│   "}`;
    levels.push({ nodes: (node.nodes ?? []).toReversed(), indent });
  }
}

function titleOf(node: EtcdNode, name: string, values: boolean): string {
  const life = node.ttl === undefined ? "" : styleText("dim", ` (${node.ttl} s)`);
  if (node.dir) return styleText("blue", name === "/" ? name : `${name}/`) + life;
  return `${name}${values ? ` = ${JSON.stringify(node.value ?? "")}` : ""}${life}`;
}
