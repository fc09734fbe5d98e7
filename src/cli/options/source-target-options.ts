import { type Command, Option } from "commander";
import { EtcdClient } from "../../client/etcd-client.js";
import type { SourceAndTarget } from "../../transfer/source/source-and-target.js";
import { append } from "./append.js";
import type { ClientOptions } from "./client-options.js";
import { clientSettings } from "./client-settings.js";
import { parseDuration } from "./duration.js";
import { keyOf } from "./key-argument.js";

/** What commands that work between two clusters can be told of one of them. */
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

/** What they can be told besides, as it is typed. */
export interface SourceTargetOptions extends Readonly<Record<string, unknown>> {
  readonly prefix?: string;
  readonly toPrefix?: string;
  readonly hidden?: readonly string[];
  readonly timeout?: number;
  readonly totalTimeout?: number;
  readonly debug?: boolean;
}

type Side = "from" | "to";

/** `--from …` and `--to …`, and which keys. */
export function addSourceTargetOptions(command: Command): Command {
  for (const option of [...optionsOf("from"), ...optionsOf("to"), ...keyOptions()]) {
    command.addOption(option);
  }
  return command;
}

/** Runs a command with a client for each side; they are closed at the end. */
export async function withSourceAndTarget(
  flags: SourceTargetOptions,
  run: (sides: SourceAndTarget) => Promise<void>,
): Promise<void> {
  await using from = new EtcdClient(await settingsOf("from", flags));
  await using to = new EtcdClient(await settingsOf("to", flags));
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
      `the ${which}'s client URLs, separated by commas`,
    ).makeOptionMandatory(),
    new Option(`--${side}-api <version>`, `which data of the ${which} (default: v2)`).choices([
      "v2",
      "v3",
    ]),
    new Option(`--${side}-key-prefix <prefix>`, "with v3: what stands before every key there"),
    new Option(`--${side}-username <user>`, `user of the ${which}'s auth`),
    new Option(`--${side}-password-file <file>`, "its password; without it, it is asked for"),
    new Option(`--${side}-cacert <file>`, `authorities to trust for the ${which} (PEM)`),
    new Option(`--${side}-cert <file>`, `client certificate for the ${which} (PEM)`),
    new Option(`--${side}-key <file>`, `key of --${side}-cert (PEM)`),
  ];
}

function keyOptions(): readonly Option[] {
  return [
    new Option("--prefix <key>", "the directory to take (default: everything)"),
    new Option("--to-prefix <key>", "its place in the target (default: as --prefix)"),
    new Option("--hidden <key>", "a hidden key (_...) to take along; may be repeated").argParser(
      append,
    ),
    new Option("--timeout <duration>", "for each attempt at one member, e.g. 2s").argParser(
      parseDuration,
    ),
    new Option(
      "--total-timeout <duration>",
      "for each call with all its attempts (default: 30s)",
    ).argParser(parseDuration),
    new Option("--debug", "with an error, show where it came from"),
  ];
}

async function settingsOf(side: Side, flags: SourceTargetOptions) {
  const { endpoints, api, keyPrefix, ...options } = sideOf(side, flags);
  if (keyPrefix !== undefined && api !== "v3") {
    throw new Error(`--${side}-key-prefix: needs --${side}-api v3`);
  }
  const { timeout, totalTimeout } = flags;
  const told: ClientOptions = {
    ...options,
    endpoints,
    ...(api !== undefined && { api }),
    ...(keyPrefix !== undefined && { keyPrefix }),
    ...(timeout !== undefined && { timeout }),
    ...(totalTimeout !== undefined && { totalTimeout }),
  };
  try {
    return await clientSettings(told);
  } catch (error) {
    const named = (error as Error).message.replaceAll("--", `--${side}-`);
    throw new Error(named, { cause: error });
  }
}

/** `--from-api v3` is what `--api v3` is for one cluster. */
function sideOf(side: Side, flags: SourceTargetOptions): SideOptions {
  const entries = Object.entries(flags).flatMap(([name, value]) => {
    if (name === side) return [["endpoints", value] as const];
    const rest = name.startsWith(side) ? name.slice(side.length) : "";
    if (rest === "" || rest === "Prefix") return [];
    return [[`${rest.charAt(0).toLowerCase()}${rest.slice(1)}`, value] as const];
  });
  return Object.fromEntries(entries) as unknown as SideOptions;
}
