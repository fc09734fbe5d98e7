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
  /** The directories that contain the next node, outermost first. */
  const open: { readonly nodes: Iterator<AnyNode>; readonly end: string }[] = [];
  let isFirst = true;
  for (let next: AnyNode | undefined = top; next !== undefined; ) {
    const { before, after } = fieldsOf(next);
    const comma = isFirst ? "" : ",";
    isFirst = next.nodes !== undefined;
    if (next.nodes === undefined) {
      yield `${comma}{${joined(before, after)}}`;
    } else {
      yield `${comma}{${joined(before, '"nodes":[')}`;
      open.push({ nodes: next.nodes.values(), end: after === "" ? "]}" : `],${after}}` });
    }
    next = undefined;
    for (let directory = open.at(-1); directory !== undefined; directory = open.at(-1)) {
      const { done, value } = directory.nodes.next();
      if (done !== true) {
        next = value;
        break;
      }
      open.pop();
      yield directory.end;
      isFirst = false;
    }
  }
}

/** Joins fields with a comma; either may be empty. */
export function joined(before: string, after: string): string {
  return before === "" || after === "" ? before + after : `${before},${after}`;
}
