import type { EtcdNode } from "../../model/node.js";
import { jsonText } from "./json-text.js";
import { yamlString, yamlValue } from "./yaml-text.js";

/** A step of a walk: a node, or the end of a directory that has children. */
interface Step {
  /** The key of the top, else the last part of the key. */
  readonly name: string;
  /** 0 for the top. */
  readonly depth: number;
  /** Absent at the end of a directory. */
  readonly node?: EtcdNode;
  /** Whether a sibling follows. */
  readonly hasNext: boolean;
}

/**
 * A tree in YAML: directories are maps, values are strings. The top has its complete key. It is the
 * format of `apply`.
 */
export function* treeYaml(top: EtcdNode): Generator<string> {
  for (const { name, depth, node } of steps(top)) {
    if (node === undefined) continue;
    const indent = "  ".repeat(depth);
    const content = node.dir
      ? isEmpty(node)
        ? " {}"
        : ""
      : ` ${yamlValue(node.value, `${indent}  `)}`;
    yield `${indent}${yamlString(name)}:${content}`;
  }
}

/** The same tree in JSON. */
export function* treeJson(top: EtcdNode): Generator<string> {
  yield "{";
  for (const { name, depth, node, hasNext } of steps(top)) {
    const indent = "  ".repeat(depth + 1);
    const comma = hasNext ? "," : "";
    if (node === undefined) yield `${indent}}${comma}`;
    else if (!node.dir) yield `${indent}${jsonText(name)}: ${jsonText(node.value)}${comma}`;
    else if (isEmpty(node)) yield `${indent}${jsonText(name)}: {}${comma}`;
    else yield `${indent}${jsonText(name)}: {`;
  }
  yield "}";
}

function isEmpty({ nodes = [] }: EtcdNode): boolean {
  return nodes.length === 0;
}

/** No recursion: a tree may be deeper than the stack. */
function* steps(top: EtcdNode): Generator<Step> {
  const levels: { readonly nodes: EtcdNode[]; readonly name: string }[] = [
    { nodes: [top], name: "" },
  ];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const node = level.nodes.pop();
    const depth = levels.length - 1;
    if (node === undefined) {
      levels.pop();
      const hasNext = (levels.at(-1)?.nodes.length ?? 0) > 0;
      if (depth > 0) yield { name: level.name, depth: depth - 1, hasNext };
      continue;
    }
    const name = depth === 0 ? node.key : node.key.slice(node.key.lastIndexOf("/") + 1);
    yield { name, depth, node, hasNext: level.nodes.length > 0 };
    if (!isEmpty(node)) levels.push({ nodes: (node.nodes ?? []).toReversed(), name });
  }
}
