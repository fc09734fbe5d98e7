import type { Command } from "commander";
import type { EtcdClient } from "../../client/etcd-client.js";
import type { DirectoryOptions } from "../../client/operation-options.js";
import type { EtcdResponse } from "../../model/response.js";
import { keyOf } from "../options/key-argument.js";
import { lifetimeOf } from "../options/lifetime.js";
import { parseWholeNumber } from "../options/whole-number.js";
import { printResponse } from "../output/print-response.js";
import { clientCommand } from "./client-command.js";
import { withSession } from "./session.js";

/** One of the client's verbs, for a directory. */
type Verb = (etcd: EtcdClient, key: string, options: DirectoryOptions) => Promise<EtcdResponse>;

export function mkdirCommand(): Command {
  const command = clientCommand(
    "mkdir",
    "Make a directory that must not exist.",
    "etcdnet mkdir /services/mail --ttl 60",
  );
  return writing(command, (etcd, key, options) => etcd.createNode(key, null, options));
}

export function setdirCommand(): Command {
  const command = clientCommand(
    "setdir",
    "Make a directory. A key in its place becomes one, and loses its value; a directory is refused.",
    "etcdnet setdir /services/mail",
  );
  return writing(command, (etcd, key, options) => etcd.setNode(key, null, options));
}

export function updatedirCommand(): Command {
  const command = clientCommand(
    "updatedir",
    "Change the TTL of a directory that exists; without --ttl, it loses the one it had.",
    "etcdnet updatedir /services/mail --ttl 60",
  );
  return writing(command, (etcd, key, options) => etcd.updateNode(key, null, options));
}

interface DirectoryFlags {
  readonly ttl?: number;
}

function writing(directoryCommand: Command, verb: Verb): Command {
  return directoryCommand
    .argument("<key>")
    .option("--ttl <seconds>", "let it expire with all that is in it; 0: never", parseWholeNumber)
    .action((key: string, { ttl }: DirectoryFlags, command: Command) =>
      withSession(command, async ({ etcd, format }) => {
        const response = await verb(etcd, keyOf(key), { dir: true, ...lifetimeOf(ttl) });
        if (format !== "simple") printResponse(response, format);
      }),
    );
}
