import { styleText } from "node:util";
import type { Command } from "commander";
import type { EtcdNode } from "../../model/node.js";
import { clientCommand } from "../command.js";
import { keyOf } from "../key-argument.js";
import { oneLine } from "../output/one-line.js";
import { printResponse } from "../output/print-response.js";
import { print } from "../print.js";
import { type Session, withSession } from "../session.js";

interface TreeFlags {
  readonly quorum?: boolean;
  readonly values?: boolean;
}

export function treeCommand(): Command {
  return clientCommand(
    "tree",
    "Draw a directory with all that is in it.",
    "etcdnet tree --values /config",
  )
    .argument("[key]")
    .option("--values", "show values as well")
    .option("-q, --quorum", "read through the leader, never a stale tree")
    .action((key: string | undefined, flags: TreeFlags, command: Command) =>
      withSession(command, (session) => tree(session, keyOf(key ?? "/"), flags)),
    );
}

async function tree({ etcd, format }: Session, key: string, flags: TreeFlags): Promise<void> {
  const { quorum = false, values = false } = flags;
  const response = await etcd.getNode(key, { recursive: true, sorted: true, quorum });
  if (format !== "simple") {
    printResponse(response, format);
    return;
  }
  const { node } = response;
  print(titleOf(node, oneLine(node.key), values));
  for (const line of branches(node.nodes ?? [], "", values)) print(line);
}

function* branches(nodes: readonly EtcdNode[], indent: string, values: boolean): Generator<string> {
  for (const [index, node] of nodes.entries()) {
    const isLast = index === nodes.length - 1;
    const name = oneLine(node.key.slice(node.key.lastIndexOf("/") + 1));
    yield `${indent}${isLast ? "└── " : "├── "}${titleOf(node, name, values)}`;
    yield* branches(node.nodes ?? [], `${indent}${isLast ? "    " : "│   "}`, values);
  }
}

function titleOf(node: EtcdNode, name: string, values: boolean): string {
  const life = node.ttl === undefined ? "" : styleText("dim", ` (${node.ttl} s)`);
  if (node.dir) return styleText("blue", name === "/" ? name : `${name}/`) + life;
  return `${name}${values ? ` = ${JSON.stringify(node.value ?? "")}` : ""}${life}`;
}
