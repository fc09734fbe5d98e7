import { type Command, Option } from "commander";
import { EtcdClient } from "../../client/etcd-client.js";
import type { EtcdClientOptions } from "../../client/options.js";
import { failureMessage } from "../process/failure.js";
import { type FlagOf, flagNames, flagOf } from "../process/flag-names.js";
import { clientSettings } from "./client-settings.js";
import { notEmpty, urlsOf } from "./option-files.js";

/** The v2 cluster of a cut-over. */
export interface SourceFlags {
  readonly source: readonly string[];
  readonly sourceCacert?: string;
  readonly sourceCert?: string;
  readonly sourceKey?: string;
  readonly sourceUsername?: string;
  readonly sourcePasswordFile?: string;
}

export function sourceOption(): Option {
  const description = "client URLs of the v2 cluster, comma-separated";
  return new Option("--source <urls>", description).argParser(urlsOf);
}

/** Adds the options that say how to reach the cluster of {@link sourceOption}. */
export function addSourceOptions(command: Command): Command {
  return command
    .option("--source-cacert <file>", "certificate authorities of the v2 cluster (PEM)", notEmpty)
    .option("--source-cert <file>", "client certificate for the v2 cluster (PEM)", notEmpty)
    .option("--source-key <file>", "key of --source-cert (PEM)", notEmpty)
    .option("--source-username <user>", "user of v2 auth with the role root", notEmpty)
    .option(
      "--source-password-file <file>",
      "file with the password of --source-username (default: prompt)",
      notEmpty,
    );
}

/** Reads the files of the options, and asks for a password that is missing. @throws Error naming the option */
export async function sourceSettings(
  flags: SourceFlags,
  flag: FlagOf = flagOf,
): Promise<EtcdClientOptions> {
  const { source, sourceCacert: cacert, sourceCert: cert, sourceKey: key } = flags;
  const { sourceUsername: username, sourcePasswordFile: passwordFile } = flags;
  const named = { cacert, cert, key, username, passwordFile };
  const given = Object.fromEntries(
    Object.entries(named).filter(([, value]) => value !== undefined),
  );
  const sourceFlag = (name: string) => flag(name === "endpoints" ? "source" : `source-${name}`);
  const settings = await clientSettings({ ...given, endpoints: source.join(",") }, sourceFlag);
  try {
    await new EtcdClient(settings).close();
  } catch (error) {
    // Without these names, it would name the options of the other cluster.
    throw new Error(failureMessage(error, flagNames(sourceFlag)), { cause: error });
  }
  return settings;
}
