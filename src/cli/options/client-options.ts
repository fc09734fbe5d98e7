import { type Command, Option } from "commander";
import { parseDuration } from "./duration.js";

/** Format of the printed responses. */
export type OutputFormat = "simple" | "extended" | "json" | "table";

/** Global options of the client commands, before or after the name of the command. */
export interface ClientOptions {
  readonly endpoints?: string;
  readonly endpoint?: string;
  readonly peers?: string;
  readonly discoverySrv?: string;
  readonly api?: "v2" | "v3";
  readonly keyPrefix?: string;
  readonly prefix?: string;
  readonly username?: string;
  readonly passwordFile?: string;
  readonly cacert?: string;
  readonly caFile?: string;
  readonly cert?: string;
  readonly certFile?: string;
  readonly key?: string;
  readonly keyFile?: string;
  /** Milliseconds. */
  readonly timeout?: number;
  /** Milliseconds. */
  readonly totalTimeout?: number;
  readonly output?: OutputFormat;
  readonly debug?: boolean;
}

/** Environment variables for options that are not given. The first one that is set is used. */
const VARIABLES = {
  endpoints: ["ETCDCTL_ENDPOINTS", "ETCDCTL_ENDPOINT", "ETCDCTL_PEERS"],
  discoverySrv: ["ETCDCTL_DISCOVERY_SRV"],
  username: ["ETCDCTL_USERNAME"],
  cacert: ["ETCDCTL_CA_FILE", "ETCDCTL_CACERT"],
  cert: ["ETCDCTL_CERT_FILE", "ETCDCTL_CERT"],
  key: ["ETCDCTL_KEY_FILE", "ETCDCTL_KEY"],
} satisfies Partial<Record<keyof ClientOptions, readonly string[]>>;

const FORMATS: readonly OutputFormat[] = ["simple", "extended", "json", "table"];

const options = (): readonly Option[] => [
  new Option(
    "--endpoints <urls>",
    "client URLs of the cluster, comma-separated ($ETCDCTL_ENDPOINTS; default: http://127.0.0.1:2379)",
  ),
  new Option("-C, --peers <urls>", "older name of --endpoints in etcdctl").hideHelp(),
  new Option("--endpoint <urls>", "older name of --endpoints in etcdctl").hideHelp(),
  new Option("-D, --discovery-srv <domain>", "domain whose SRV records list the endpoints"),
  new Option(
    "--insecure-discovery",
    "accepted for compatibility with etcdctl; no effect",
  ).hideHelp(),
  new Option("--api <version>", "API whose data is used (default: v2)").choices(["v2", "v3"]),
  new Option("--key-prefix <prefix>", "with --api v3: prefix of every key (default: no prefix)"),
  new Option("--prefix <key>", "directory that all keys are relative to"),
  new Option(
    "-u, --username <user>",
    "user of etcd's auth ($ETCDCTL_USERNAME); user:password also works, but other users can see it",
  ),
  new Option("--password-file <file>", "file with the password of --username (default: prompt)"),
  new Option("--cacert <file>", "certificate authorities of the cluster (PEM; $ETCDCTL_CA_FILE)"),
  new Option("--ca-file <file>", "name of --cacert in etcdctl").hideHelp(),
  new Option("--cert <file>", "client certificate (PEM; $ETCDCTL_CERT_FILE); needs --key"),
  new Option("--cert-file <file>", "name of --cert in etcdctl").hideHelp(),
  new Option("--key <file>", "key of --cert (PEM; $ETCDCTL_KEY_FILE)"),
  new Option("--key-file <file>", "name of --key in etcdctl").hideHelp(),
  new Option("--timeout <duration>", "for each attempt at one member, e.g. 2s").argParser(
    parseDuration,
  ),
  new Option(
    "--total-timeout <duration>",
    "for each call with all its attempts (default: 30s); watches have no timeout",
  ).argParser(parseDuration),
  new Option(
    "--no-sync",
    "accepted for compatibility with etcdctl: only the given endpoints are used",
  ).hideHelp(),
  new Option("-o, --output <format>", "output format (default: simple)").choices(FORMATS),
  new Option("--debug", "print the stack trace of an error"),
];

/** Adds the options to the program, whose help shows them. */
export function addClientOptions(command: Command): Command {
  for (const option of options()) command.addOption(option);
  return command;
}

/** Adds them to a command, so that they may also follow its name; its help hides them. */
export function addHiddenClientOptions(command: Command): Command {
  for (const option of options()) command.addOption(option.hideHelp());
  return command;
}

/** The options given. Those next to the command win; environment variables come last. */
export function clientOptionsOf(command: Command, env = process.env): ClientOptions {
  const levels: ClientOptions[] = [];
  for (let level: Command | null = command; level !== null; level = level.parent) {
    levels.unshift(level.opts<ClientOptions>());
  }
  return Object.assign({}, environmentOptions(env), ...levels);
}

function environmentOptions(env: NodeJS.ProcessEnv): ClientOptions {
  const given = Object.entries(VARIABLES).flatMap(([option, names]) => {
    const value = names.map((name) => env[name]).find((text) => text !== undefined && text !== "");
    return value === undefined ? [] : [[option, value] as const];
  });
  return Object.fromEntries(given);
}
