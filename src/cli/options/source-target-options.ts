import { type Command, Option } from "commander";
import { EtcdClient } from "../../client/etcd-client.js";
import type { SourceAndTarget } from "../../transfer/source/source-and-target.js";
import { failureMessage } from "../process/failure.js";
import { flagNames, sideFlagOf } from "../process/flag-names.js";
import type { ClientOptions } from "./client-options.js";
import { clientSettings } from "./client-settings.js";
import { collect } from "./collect.js";
import { parseDuration } from "./duration.js";
import { keyOf } from "./key-argument.js";

/** Options for one of the two clusters. */
interface SideOptions {
  readonly endpoints: string;
  readonly api?: "v2" | "v3";
  readonly keyPrefix?: string;
  readonly username?: string;
  readonly passwordFile?: string;
  readonly cacert?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Further options of the commands for two clusters. */
export interface SourceTargetOptions extends Readonly<Record<string, unknown>> {
  readonly prefix?: string;
  readonly toPrefix?: string;
  readonly hidden?: readonly string[];
  readonly timeout?: number;
  readonly totalTimeout?: number;
  readonly debug?: boolean;
}

type Side = "from" | "to";

/** Adds `--from…`, `--to…` and the options that select keys. */
export function addSourceTargetOptions(command: Command): Command {
  for (const option of [...optionsOf("from"), ...optionsOf("to"), ...keyOptions()]) {
    command.addOption(option);
  }
  return command;
}

/** Runs a command with a client for each cluster, and closes the clients at the end. */
export async function withSourceAndTarget(
  flags: SourceTargetOptions,
  run: (trees: SourceAndTarget) => Promise<void>,
): Promise<void> {
  await using from = await clientOf("from", flags);
  await using to = await clientOf("to", flags);
  const { prefix, toPrefix, hidden } = flags;
  await run({
    from,
    to,
    ...(prefix !== undefined && { prefix: keyOf(prefix) }),
    ...(toPrefix !== undefined && { toPrefix: keyOf(toPrefix) }),
    ...(hidden !== undefined && { hidden: hidden.map(keyOf) }),
  });
}

function optionsOf(side: Side): readonly Option[] {
  const which = side === "from" ? "source" : "target";
  return [
    new Option(
      `--${side} <urls>`,
      `client URLs of the ${which}, comma-separated`,
    ).makeOptionMandatory(),
    new Option(
      `--${side}-api <version>`,
      `API of the ${which} whose data is used (default: v2)`,
    ).choices(["v2", "v3"]),
    new Option(
      `--${side}-key-prefix <prefix>`,
      `with --${side}-api v3: prefix of every key (default: no prefix)`,
    ),
    new Option(`--${side}-username <user>`, `user of auth in the ${which}`),
    new Option(
      `--${side}-password-file <file>`,
      `file with the password of --${side}-username (default: prompt)`,
    ),
    new Option(`--${side}-cacert <file>`, `certificate authorities of the ${which} (PEM)`),
    new Option(`--${side}-cert <file>`, `client certificate for the ${which} (PEM)`),
    new Option(`--${side}-key <file>`, `key of --${side}-cert (PEM)`),
  ];
}

function keyOptions(): readonly Option[] {
  return [
    new Option("--prefix <key>", "directory to process (default: the root)"),
    new Option("--to-prefix <key>", "directory in the target (default: same as --prefix)"),
    new Option("--hidden <key>", "hidden key (_...) to include; repeatable").argParser(collect),
    new Option("--timeout <duration>", "for each attempt at one member, e.g. 2s").argParser(
      parseDuration,
    ),
    new Option(
      "--total-timeout <duration>",
      "for each call with all its attempts (default: 30s)",
    ).argParser(parseDuration),
    new Option("--debug", "print the stack trace of an error"),
  ];
}

/** @throws Error naming the option of this side */
async function clientOf(side: Side, flags: SourceTargetOptions): Promise<EtcdClient> {
  const { endpoints, api, keyPrefix, ...options } = sideOf(side, flags);
  const { timeout, totalTimeout } = flags;
  const given: ClientOptions = {
    ...options,
    endpoints,
    ...(api !== undefined && { api }),
    ...(keyPrefix !== undefined && { keyPrefix }),
    ...(timeout !== undefined && { timeout }),
    ...(totalTimeout !== undefined && { totalTimeout }),
  };
  const flag = sideFlagOf(side);
  try {
    return new EtcdClient(await clientSettings(given, flag));
  } catch (error) {
    throw new Error(failureMessage(error, flagNames(flag)), { cause: error });
  }
}

/** The options of one side under the names for a single cluster: `--from-api v3` as `--api v3`. */
function sideOf(side: Side, flags: SourceTargetOptions): SideOptions {
  const entries = Object.entries(flags).flatMap(([name, value]) => {
    if (name === side) return [["endpoints", value] as const];
    const rest = name.startsWith(side) ? name.slice(side.length) : "";
    if (rest === "" || rest === "Prefix") return [];
    return [[`${rest.charAt(0).toLowerCase()}${rest.slice(1)}`, value] as const];
  });
  return Object.fromEntries(entries) as unknown as SideOptions;
}
