import type { AnyNode } from "../model/node.js";

/** The JSON fields of a node, without braces: those before its `nodes` and those after. */
export interface NodeFields {
  readonly before: string;
  readonly after: string;
}

/** Serializes a node with everything below it. */
export function nodeText(top: AnyNode, fieldsOf: (node: AnyNode) => NodeFields): string {
  return [...nodePieces(top, fieldsOf)].join("");
}

/** The same in pieces of about one node each. No recursion: a tree may be deeper than the stack. */
export function* nodePieces(
  top: AnyNode,
  fieldsOf: (node: AnyNode) => NodeFields,
): Generator<string, void, undefined> {
  /** A stack of nodes and of ends of directories to write. */
  const waiting: (AnyNode | string)[] = [top];
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
