import { statSync } from "node:fs";
import type { Command } from "commander";
import { EtcdClient } from "../../client/etcd-client.js";
import { isEtcdError } from "../../errors/is-etcd-error.js";
import {
  type ClientOptions,
  clientOptionsOf,
  hasClientOptions,
} from "../options/client-options.js";
import { clientSettings } from "../options/client-settings.js";
import { keyOf } from "../options/key-argument.js";
import { splitUser } from "../options/split-user.js";
import type { ParsedLine } from "./parsed-line.js";

/** Milliseconds after which no keys are offered: the person at the terminal waits. */
const TIMEOUT_MS = 1_000;
/** A directory that is larger is not offered. */
const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;

/**
 * The keys of the directory in which a key begins, from the cluster that the line names. A directory ends with a
 * slash. No keys if they are not to be had at once: nothing is asked, and no pipe is read.
 */
export async function keysBelow(
  start: string,
  { command, given }: ParsedLine,
): Promise<readonly { readonly word: string }[]> {
  if (!hasClientOptions(command)) return [];
  const options = optionsOf(command, given);
  if (!needsNothing(options)) return [];
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const settings = await clientSettings({
    ...options,
    timeout: TIMEOUT_MS,
    totalTimeout: TIMEOUT_MS,
  });
  await using client = new EtcdClient({ ...settings, maxResponseSize: MAX_RESPONSE_BYTES });
  const etcd = options.prefix === undefined ? client : client.namespace(keyOf(options.prefix));
  // As typed: with or without the first slash.
  const directory = start.slice(0, start.lastIndexOf("/") + 1);
  try {
    const { node } = await etcd.getNode(keyOf(directory), { sorted: true, signal });
    return (node.nodes ?? []).map(({ key, dir }) => {
      const name = key.slice(key.lastIndexOf("/") + 1);
      return {
        word: `${directory === "" && start === "" ? "/" : directory}${name}${dir ? "/" : ""}`,
      };
    });
  } catch (error) {
    if (isEtcdError(error)) return [];
    throw error;
  }
}

/** The options of the line, its environment and its context. */
function optionsOf(command: Command, given: ParsedLine["given"]): ClientOptions {
  for (const [option, text] of given) {
    const value: unknown = option.parseArg === undefined ? text : option.parseArg(text, undefined);
    command.setOptionValueWithSource(option.attributeName(), value, "cli");
  }
  return clientOptionsOf(command).options;
}

/** Whether no password is asked for, and all files are ordinary ones. */
function needsNothing({ username, passwordFile, cacert, cert, key }: ClientOptions): boolean {
  const isAsked =
    username !== undefined &&
    passwordFile === undefined &&
    splitUser(username).password === undefined;
  if (isAsked) return false;
  return [passwordFile, cacert, cert, key].every(
    (file) => file === undefined || statSync(file).isFile(),
  );
}
