import { type Command, Option } from "commander";
import { EtcdClient } from "../../client/etcd-client.js";
import { pathOf } from "../../key-space/shared/path.js";
import type { SourceAndTarget } from "../../transfer/source/source-and-target.js";
import { failureMessage } from "../process/failure.js";
import { type FlagOf, flagNames, sideFlagOf } from "../process/flag-names.js";
import { attributeOf, type ClientOptions, storedOptions } from "./client-options.js";
import { clientSettings } from "./client-settings.js";
import { collect } from "./collect.js";
import { readContexts } from "./contexts.js";
import { parseDuration } from "./duration.js";
import { keyOf } from "./key-argument.js";

/** Options for one of the two clusters. */
interface SideOptions {
  readonly context?: string;
  readonly endpoints?: string;
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
  const [source, target] = [sideOf("from", flags), sideOf("to", flags)];
  await using from = await clientOf(source, flags);
  await using to = await clientOf(target, flags);
  const { prefix, toPrefix = prefix, hidden } = flags;
  const isMoved = flags.toPrefix !== undefined || source.top !== "" || target.top !== "";
  await run({
    from,
    to,
    ...((prefix ?? source.top) !== "" && { prefix: keyBelow(source.top, prefix) }),
    ...(isMoved && { toPrefix: keyBelow(target.top, toPrefix) }),
    ...(hidden !== undefined && { hidden: hidden.map((key) => keyBelow(source.top, key)) }),
  });
}

function optionsOf(side: Side): readonly Option[] {
  const which = side === "from" ? "source" : "target";
  return [
    new Option(`--${side} <urls>`, `client URLs of the ${which}, comma-separated`),
    new Option(
      `--${side}-context <name>`,
      `context of the ${which}, instead of options or in addition; see etcdnet context`,
    ),
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

/** One of the two clusters. */
interface GivenSide {
  readonly options: ClientOptions;
  readonly flag: FlagOf;
  /** The directory of the context, which all keys of this side are relative to; empty: the root. */
  readonly top: string;
}

/** @throws Error naming the option of this side */
async function clientOf(
  { options, flag }: GivenSide,
  { timeout, totalTimeout }: SourceTargetOptions,
): Promise<EtcdClient> {
  const given: ClientOptions = {
    ...options,
    ...(timeout !== undefined && { timeout }),
    ...(totalTimeout !== undefined && { totalTimeout }),
  };
  try {
    return new EtcdClient(await clientSettings(given, flag));
  } catch (error) {
    throw new Error(failureMessage(error, flagNames(flag)), { cause: error });
  }
}

/** The options of one side and of its context. @throws Error naming the option */
function sideOf(side: Side, flags: SourceTargetOptions): GivenSide {
  const flag = sideFlagOf(side);
  const { context: name, ...own } = ownOptionsOf(side, flags);
  if (name === undefined) {
    if (own.endpoints !== undefined) return { options: own, flag, top: "" };
    throw new Error(`required option '--${side} <urls>' not specified; or use --${side}-context`);
  }
  const { contexts } = readContexts(process.env);
  const context = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (context === undefined) {
    throw new Error(
      `--${side}-context: ${name} does not exist; etcdnet context list shows those that do`,
    );
  }
  const { prefix = "/", ...stored } = storedOptions(context, own);
  const isStored = (option: string): boolean => attributeOf(option) in stored;
  return {
    options: { ...stored, ...own },
    flag: (option) => (isStored(option) ? `${option} of context ${name}` : flag(option)),
    top: pathOf(keyOf(prefix)),
  };
}

function keyBelow(top: string, key = "/"): string {
  return keyOf(`${top}/${key}`);
}

/** The options of one side under the names for a single cluster: `--from-api v3` as `--api v3`. */
function ownOptionsOf(side: Side, flags: SourceTargetOptions): SideOptions {
  const entries = Object.entries(flags).flatMap(([name, value]) => {
    if (name === side) return [["endpoints", value] as const];
    const rest = name.startsWith(side) ? name.slice(side.length) : "";
    if (rest === "" || rest === "Prefix") return [];
    return [[`${rest.charAt(0).toLowerCase()}${rest.slice(1)}`, value] as const];
  });
  return Object.fromEntries(entries);
}
