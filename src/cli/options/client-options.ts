import { type Command, Option } from "commander";
import { parseDuration } from "./duration.js";

/** How answers are shown. */
export type OutputFormat = "simple" | "extended" | "json" | "table";

/** What every command of a client can be told, before its name or after it. */
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

/** What the environment says where the command line does not; the first variable that is set. */
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
    "the cluster's client URLs, separated by commas ($ETCDCTL_ENDPOINTS; default: http://127.0.0.1:2379)",
  ),
  new Option("-C, --peers <urls>", "etcdctl's older name of --endpoints").hideHelp(),
  new Option("--endpoint <urls>", "etcdctl's older name of --endpoints").hideHelp(),
  new Option("-D, --discovery-srv <domain>", "domain whose SRV records name the endpoints"),
  new Option(
    "--insecure-discovery",
    "taken for etcdctl's sake: what the records name is used",
  ).hideHelp(),
  new Option("--api <version>", "which data of the cluster (default: v2)").choices(["v2", "v3"]),
  new Option(
    "--key-prefix <prefix>",
    "with --api v3: what stands before every key there (default: nothing)",
  ),
  new Option("--prefix <key>", "directory to stay in: keys are below it, and shown without it"),
  new Option(
    "-u, --username <user>",
    "user of etcd's auth ($ETCDCTL_USERNAME); user:password is taken too, but others can see it",
  ),
  new Option("--password-file <file>", "its password; without it, it is asked for"),
  new Option("--cacert <file>", "authorities to trust (PEM; $ETCDCTL_CA_FILE)"),
  new Option("--ca-file <file>", "etcdctl's name of --cacert").hideHelp(),
  new Option("--cert <file>", "client certificate (PEM; $ETCDCTL_CERT_FILE); needs --key"),
  new Option("--cert-file <file>", "etcdctl's name of --cert").hideHelp(),
  new Option("--key <file>", "key of --cert (PEM; $ETCDCTL_KEY_FILE)"),
  new Option("--key-file <file>", "etcdctl's name of --key").hideHelp(),
  new Option("--timeout <duration>", "for each attempt at one member, e.g. 2s").argParser(
    parseDuration,
  ),
  new Option(
    "--total-timeout <duration>",
    "for each call with all its attempts (default: 30s); watches are not bounded",
  ).argParser(parseDuration),
  new Option(
    "--no-sync",
    "taken for etcdctl's sake: only the given endpoints are ever used",
  ).hideHelp(),
  new Option("-o, --output <format>", "how answers are shown (default: simple)").choices(FORMATS),
  new Option("--debug", "with an error, show where it came from"),
];

/** Of the program itself, where its help shows them. */
export function addClientOptions(command: Command): Command {
  for (const option of options()) command.addOption(option);
  return command;
}

/** Of one of its commands, so that they may also come after its name. */
export function addHiddenClientOptions(command: Command): Command {
  for (const option of options()) command.addOption(option.hideHelp());
  return command;
}

/** What was said, the nearest to the command first, and last the environment. */
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
