import type { Command } from "commander";
import type { EtcdNode } from "../../model/node.js";
import { keyOf } from "../options/key-argument.js";
import { oneLine } from "../output/one-line.js";
import { descendants, printResponse } from "../output/print-response.js";
import { treeJson, treeYaml } from "../output/tree-document.js";
import { CommandError } from "../process/command-error.js";
import { note, print } from "../process/print.js";
import { clientCommand } from "./client-command.js";
import { type Session, withSession } from "./session.js";
import { type AtFlag, atOption, sessionAt } from "./session-at.js";

const REPLACED = "the value contains U+FFFD, which may replace bytes that are not UTF-8";

interface GetFlags extends AtFlag {
  readonly sort?: boolean;
  readonly quorum?: boolean;
  readonly recursive?: boolean;
}

export function getCommand(): Command {
  return clientCommand(
    "get",
    "Print the value of a key. With --recursive, print a tree in the format that apply reads: YAML, or " +
      "JSON with -o json.",
    "etcdnet get --recursive -o yaml /config > config.yaml",
  )
    .argument("<key>")
    .option("--sort", "accepted for compatibility with etcdctl; no effect")
    .option("-q, --quorum", "quorum read: never a stale value")
    .option("-r, --recursive", "print the key with everything below it")
    .addOption(atOption())
    .action((key: string, flags: GetFlags, command: Command) =>
      withSession(command, (session) => {
        const then = sessionAt(session, flags);
        return flags.recursive ? getTree(then, keyOf(key), flags) : get(then, keyOf(key), flags);
      }),
    );
}

async function get({ etcd, format }: Session, key: string, { quorum = false }: GetFlags) {
  const response = await etcd.getNode(key, { quorum });
  const { dir, key: found } = response.node;
  if (dir) throw new CommandError(`${found}: is a directory`, `etcdnet ls ${found} lists it`);
  printResponse(response, format);
}

async function getTree({ etcd, format }: Session, key: string, { quorum = false }: GetFlags) {
  const response = await etcd.getNode(key, { recursive: true, sorted: true, quorum });
  if (format === "table" || format === "jsonl") {
    printResponse(response, format);
    return;
  }
  const { node } = response;
  const lines = format === "json" ? treeJson(node) : treeYaml(node);
  for (const line of lines) print(line);
  warnOfLosses([node, ...descendants(node)]);
}

/** Names what the format does not have. */
function warnOfLosses(nodes: readonly EtcdNode[]): void {
  const lifetimes = nodes.filter(({ ttl }) => ttl !== undefined).length;
  if (lifetimes > 0) note(`warning: ${lifetimes} keys have a TTL, which the output does not have`);
  for (const { key, value } of nodes) {
    if (value?.includes("\ufffd")) note(`warning: ${oneLine(key)}: ${REPLACED}`);
  }
}
