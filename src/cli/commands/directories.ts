import type { Command } from "commander";
import type { EtcdClient } from "../../client/etcd-client.js";
import type { DirectoryOptions } from "../../client/operation-options.js";
import type { EtcdResponse } from "../../model/response.js";
import { parseSeconds } from "../options/duration.js";
import { keyOf } from "../options/key-argument.js";
import { lifetimeOf } from "../options/lifetime.js";
import { printResponse } from "../output/print-response.js";
import { clientCommand } from "./client-command.js";
import { withSession } from "./session.js";

/** A method of the client, for a directory. */
type DirectoryMethod = (
  etcd: EtcdClient,
  key: string,
  options: DirectoryOptions,
) => Promise<EtcdResponse>;

export function mkdirCommand(): Command {
  const command = clientCommand(
    "mkdir",
    "Create a directory. It must not exist.",
    "etcdnet mkdir /services/mail --ttl 60",
  );
  return directoryWrite(command, (etcd, key, options) => etcd.createNode(key, null, options));
}

export function setdirCommand(): Command {
  const command = clientCommand(
    "setdir",
    "Create a directory. A key at this path becomes a directory and loses its value. An existing directory is refused.",
    "etcdnet setdir /services/mail",
  );
  return directoryWrite(command, (etcd, key, options) => etcd.setNode(key, null, options));
}

export function updatedirCommand(): Command {
  const command = clientCommand(
    "updatedir",
    "Change the TTL of an existing directory. Without --ttl, it loses its TTL.",
    "etcdnet updatedir /services/mail --ttl 60",
  );
  return directoryWrite(command, (etcd, key, options) => etcd.updateNode(key, null, options));
}

interface DirectoryFlags {
  readonly ttl?: number;
}

function directoryWrite(directoryCommand: Command, method: DirectoryMethod): Command {
  return directoryCommand
    .argument("<key>")
    .option(
      "--ttl <duration>",
      "time until it expires with everything in it; 0: never",
      parseSeconds,
    )
    .action((key: string, { ttl }: DirectoryFlags, command: Command) =>
      withSession(command, async ({ etcd, format }) => {
        const response = await method(etcd, keyOf(key), { dir: true, ...lifetimeOf(ttl) });
        if (format !== "simple") printResponse(response, format);
      }),
    );
}
