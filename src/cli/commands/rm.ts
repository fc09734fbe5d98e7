import type { Command } from "commander";
import type { KeyRequest } from "../../model/key-request.js";
import { keyOf } from "../options/key-argument.js";
import { parseWholeNumber } from "../options/whole-number.js";
import { printResponse } from "../output/print-response.js";
import { clientCommand } from "./client-command.js";
import { type Session, withSession } from "./session.js";

interface RmFlags {
  readonly dir?: boolean;
  readonly recursive?: boolean;
  readonly withValue?: string;
  readonly withIndex?: number;
}

export function rmCommand(): Command {
  return clientCommand("rm", "Remove a key or a directory.", "etcdnet rm --recursive /config/old")
    .argument("<key>")
    .option("--dir", "also remove an empty directory")
    .option("-r, --recursive", "also remove a directory with everything in it")
    .option("--with-value <value>", "only if this is the current value")
    .option("--with-index <index>", "only if this is the current modified index", parseWholeNumber)
    .action((key: string, flags: RmFlags, command: Command) =>
      withSession(command, (session) => remove(session, requestOf(keyOf(key), flags))),
    );
}

export function rmdirCommand(): Command {
  return clientCommand("rmdir", "Remove an empty directory or a key.", "etcdnet rmdir /config/old")
    .argument("<key>")
    .action((key: string, _flags: object, command: Command) =>
      withSession(command, (session) => remove(session, requestOf(keyOf(key), { dir: true }))),
    );
}

async function remove({ etcd, format }: Session, request: KeyRequest): Promise<void> {
  const response = await etcd.execute(request);
  if (!response.node.dir || format !== "simple") printResponse(response, format);
}

/** As in etcdctl, an empty value and index 0 set no condition. */
function requestOf(key: string, flags: RmFlags): KeyRequest {
  const { dir = false, recursive = false, withValue = "", withIndex: prevIndex = 0 } = flags;
  if (withValue !== "") {
    const condition = prevIndex > 0 ? { prevIndex } : {};
    return { action: "compareAndDelete", key, prevValue: withValue, ...condition };
  }
  if (prevIndex > 0) return { action: "compareAndDelete", key, prevIndex };
  return { action: "delete", key, dir, recursive };
}
