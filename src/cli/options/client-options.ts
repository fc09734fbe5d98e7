import { type Command, Option } from "commander";
import { type Context, readContexts } from "./contexts.js";
import { parseDuration } from "./duration.js";
import {
  addVariables,
  flagsFor,
  type GivenOptions,
  optionsIn,
  type VariableNames,
  variableValues,
} from "./environment.js";
import { splitUser } from "./split-user.js";

/** Format of the printed responses. */
export type OutputFormat = "simple" | "extended" | "json" | "jsonl" | "yaml" | "table";

/** Global options of the client commands, before or after the name of the command. */
export interface ClientOptions {
  readonly context?: string;
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

/** Variables of etcdctl, which count when the one of this program is not set. */
const VARIABLES: VariableNames = {
  endpoints: ["ETCDNET_ENDPOINTS", "ETCDCTL_ENDPOINTS", "ETCDCTL_ENDPOINT", "ETCDCTL_PEERS"],
  "discovery-srv": ["ETCDNET_DISCOVERY_SRV", "ETCDCTL_DISCOVERY_SRV"],
  username: ["ETCDNET_USERNAME", "ETCDCTL_USERNAME"],
  cacert: ["ETCDNET_CACERT", "ETCDCTL_CA_FILE", "ETCDCTL_CACERT"],
  cert: ["ETCDNET_CERT", "ETCDCTL_CERT_FILE", "ETCDCTL_CERT"],
  key: ["ETCDNET_KEY", "ETCDCTL_KEY_FILE", "ETCDCTL_KEY"],
};

const FORMATS: readonly OutputFormat[] = ["simple", "extended", "json", "jsonl", "yaml", "table"];

const options = (): readonly Option[] => [
  new Option(
    "--context <name>",
    "context whose options are used (default: the current one); see etcdnet context",
  ),
  new Option(
    "--endpoints <urls>",
    "client URLs of the cluster, comma-separated (default: http://127.0.0.1:2379)",
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
    "user of etcd's auth; user:password also works, but other users can see it",
  ),
  new Option("--password-file <file>", "file with the password of --username (default: prompt)"),
  new Option("--cacert <file>", "certificate authorities of the cluster (PEM)"),
  new Option("--ca-file <file>", "name of --cacert in etcdctl").hideHelp(),
  new Option("--cert <file>", "client certificate (PEM); needs --key"),
  new Option("--cert-file <file>", "name of --cert in etcdctl").hideHelp(),
  new Option("--key <file>", "key of --cert (PEM)"),
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

/** Adds the options to the program, whose help shows them with their variables. */
export function addClientOptions(command: Command): Command {
  for (const option of options()) command.addOption(option);
  return addVariables(command, VARIABLES);
}

const clientCommands = new WeakSet<Command>();

/** Whether a command reads the global options. */
export function hasClientOptions(command: Command): boolean {
  return clientCommands.has(command);
}

/**
 * Adds them to a command, so that they may also follow its name; its help hides them.
 *
 * @param except those that the command has itself, with another meaning
 */
export function addHiddenClientOptions(command: Command, except: readonly string[] = []): Command {
  clientCommands.add(command);
  for (const option of options()) {
    if (!except.includes(option.long ?? "")) command.addOption(option.hideHelp());
  }
  return command;
}

/** The options given. Those next to the command win; environment variables come last. */
export function clientOptionsOf(command: Command, env = process.env): GivenOptions<ClientOptions> {
  let given: ClientOptions = {};
  let root = command;
  for (let level: Command | null = command; level !== null; level = level.parent) {
    given = { ...withoutAliases(level.opts<ClientOptions>()), ...given };
    root = level;
  }
  const values = variableValues(root, env, (option) => isReplaced(option.attribute, given));
  const own: ClientOptions = { ...optionsIn(values), ...given };
  const { name, options: stored } = chosenContext(own, env, (problem) =>
    command.error(`error: ${problem}`),
  );
  const fromContext = storedOptions(stored, own);
  const flag = (option: string): string =>
    option in stored && attributeOf(option) in fromContext
      ? `${option} of context ${name}`
      : flagsFor(values)(option);
  return { options: { ...fromContext, ...own }, flag };
}

/**
 * The context that a command uses. The current one is left out when the command line or the environment
 * names a cluster, so that its credentials and prefixes never reach another cluster.
 */
function chosenContext(
  { context: given, endpoints, discoverySrv }: ClientOptions,
  env: NodeJS.ProcessEnv,
  refuse: (problem: string) => never,
): { readonly name: string; readonly options: Context } {
  const namesCluster = endpoints !== undefined || discoverySrv !== undefined;
  if (given === undefined && namesCluster) return { name: "", options: {} };
  try {
    const { current = "", contexts } = readContexts(env);
    const name = given ?? current;
    const options = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
    if (given !== undefined && options === undefined) {
      return refuse(`context ${name} does not exist; etcdnet context list shows those that do`);
    }
    return { name, options: options ?? {} };
  } catch (error) {
    return refuse((error as Error).message);
  }
}

/** The options of a context that the command line and the environment do not replace. */
export function storedOptions(context: Context, own: ClientOptions): ClientOptions {
  const entries = Object.entries(context).map(
    ([name, value]) => [attributeOf(name), value] as const,
  );
  const namesCluster = own.endpoints !== undefined || own.discoverySrv !== undefined;
  const isStored = (attribute: string): boolean => {
    if (isReplaced(attribute, own)) return false;
    if (attribute === "endpoints" || attribute === "discoverySrv") return !namesCluster;
    // A password belongs to its user, and a key to its certificate.
    if (attribute === "passwordFile") return own.username === undefined;
    return attribute !== "key" || own.cert === undefined;
  };
  return Object.fromEntries(entries.filter(([attribute]) => isStored(attribute)));
}

/** The attribute of an option: `keyPrefix` for `key-prefix`. */
export function attributeOf(option: string): string {
  return option.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** The options under their first names, so that an alias replaces a variable, too. */
function withoutAliases(options: ClientOptions): ClientOptions {
  const { endpoint, peers, caFile, certFile, keyFile, ...others } = options;
  const endpoints = others.endpoints ?? endpoint ?? peers;
  const cacert = others.cacert ?? caFile;
  const cert = others.cert ?? certFile;
  const key = others.key ?? keyFile;
  return {
    ...others,
    ...(endpoints !== undefined && { endpoints }),
    ...(cacert !== undefined && { cacert }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}

/** Whether the command line gives an option, or another one that takes its place. */
function isReplaced(attribute: string, given: ClientOptions): boolean {
  if (attribute in given) return true;
  if (attribute === "discoverySrv") return given.endpoints !== undefined;
  const { username } = given;
  if (attribute !== "passwordFile" || username === undefined) return false;
  return splitUser(username).password !== undefined;
}
