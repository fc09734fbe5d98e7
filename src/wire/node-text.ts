import type { EtcdNode } from "../model/node.js";

/** The JSON fields of a node, without braces, that come before its `nodes` and after them. */
export interface NodeFields {
  readonly before: string;
  readonly after: string;
}

/** A node with all below it as JSON. */
export function nodeText(top: EtcdNode, fieldsOf: (node: EtcdNode) => NodeFields): string {
  return [...nodePieces(top, fieldsOf)].join("");
}

/** The same in pieces, of about one node each. No recursion: a tree may be deeper than the stack. */
export function* nodePieces(
  top: EtcdNode,
  fieldsOf: (node: EtcdNode) => NodeFields,
): Generator<string, void, undefined> {
  /** Nodes that are to be written, and ends of directories; the next one comes last. */
  const waiting: (EtcdNode | string)[] = [top];
  let isFirst = true;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next === "string") {
      yield next;
      isFirst = false;
      continue;
    }
    const { before, after } = fieldsOf(next);
    const comma = isFirst ? "" : ",";
    isFirst = next.nodes !== undefined;
    if (next.nodes === undefined) {
      yield `${comma}{${joined(before, after)}}`;
      continue;
    }
    yield `${comma}{${joined(before, '"nodes":[')}`;
    waiting.push(after === "" ? "]}" : `],${after}}`);
    for (const node of next.nodes.toReversed()) waiting.push(node);
  }
}

function joined(before: string, after: string): string {
  return before === "" || after === "" ? before + after : `${before},${after}`;
}
