import type { Command } from "commander";
import { keyOf } from "../options/key-argument.js";
import { printResponse } from "../output/print-response.js";
import { CommandError } from "../process/command-error.js";
import { clientCommand } from "./client-command.js";
import { type Session, withSession } from "./session.js";

interface GetFlags {
  readonly sort?: boolean;
  readonly quorum?: boolean;
}

export function getCommand(): Command {
  return clientCommand("get", "Print the value of a key.", "etcdnet get /config/database")
    .argument("<key>")
    .option("--sort", "accepted for compatibility with etcdctl; no effect")
    .option("-q, --quorum", "quorum read: never a stale value")
    .action((key: string, flags: GetFlags, command: Command) =>
      withSession(command, (session) => get(session, keyOf(key), flags)),
    );
}

async function get({ etcd, format }: Session, key: string, { quorum = false }: GetFlags) {
  const response = await etcd.getNode(key, { quorum });
  if (response.node.dir) throw new CommandError(`${response.node.key}: is a directory`);
  printResponse(response, format);
}
