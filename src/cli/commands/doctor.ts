import { type Command, Option } from "commander";
import { collectCluster } from "../../doctor/collect/cluster-facts.js";
import { collectDirectory } from "../../doctor/collect/directory-facts.js";
import { ClusterCommands, type CommonOption } from "../../doctor/commands.js";
import { diagnoseCluster, diagnoseDirectory, unreadableDirectory } from "../../doctor/diagnose.js";
import { type Diagnosis, isClear } from "../../doctor/finding.js";
import { VERSION_STEPS } from "../../doctor/version-steps.js";
import { goJson } from "../../wire/go-json.js";
import {
  type ClientOptions,
  clientOptionsOf,
  type OutputFormat,
} from "../options/client-options.js";
import { clientSettings } from "../options/client-settings.js";
import { parseDuration } from "../options/duration.js";
import { splitUser } from "../options/split-user.js";
import { diagnosisLines } from "../output/diagnosis-text.js";
import { oneLine } from "../output/one-line.js";
import { printRecords } from "../output/print-records.js";
import { yamlLines } from "../output/yaml-text.js";
import { ExitCode } from "../process/exit-code.js";
import { reportFailure } from "../process/failure.js";
import { type FlagOf, flagNames } from "../process/flag-names.js";
import { print } from "../process/print.js";
import { clientCommand } from "./client-command.js";
import { refuseClusterOptions } from "./export-data-dir.js";

/** Enough for some millions of keys. */
const WALK_TIMEOUT_MS = 300_000;

interface DoctorFlags {
  readonly dataDir?: string;
  readonly walDir?: string;
  readonly to?: string;
  readonly walkTimeout?: number;
}

export function doctorCommand(): Command {
  return clientCommand(
    "doctor",
    "Show what stands between this cluster and the next release of etcd, and the commands that mend it. " +
      "It asks every endpoint, or reads the data directory of a member that does not run. It changes nothing. " +
      'Exit code 0: clear. 1: a finding "blocks" the upgrade, or could not be checked.',
    "etcdnet doctor --data-dir /var/lib/etcd --to 3.6",
  )
    .option("--data-dir <directory>", "read this data directory, and ask no endpoint")
    .option("--wal-dir <directory>", "with --data-dir: the member's --wal-dir")
    .addOption(
      new Option("--to <release>", "release to upgrade to (default: the next one)").choices(
        VERSION_STEPS.map(({ to }) => to),
      ),
    )
    .option(
      "--walk-timeout <duration>",
      "time to read all v2 keys of the endpoints (default: 5m)",
      parseDuration,
    )
    .action((flags: DoctorFlags, command: Command) => runDoctor(flags, command));
}

async function runDoctor(flags: DoctorFlags, command: Command): Promise<void> {
  const { options, flag } = clientOptionsOf(command);
  try {
    if (flags.dataDir !== undefined) refuseClusterOptions(command);
    const diagnosis = await diagnose(flags, options, flag);
    show(diagnosis, options.output);
    if (!isClear(diagnosis)) process.exitCode = ExitCode.blocked;
  } catch (error) {
    reportFailure(error, options.debug, flagNames(flag, flag));
  }
}

/** Prints the diagnosis; as JSON lines and in a table, only the findings. */
function show(diagnosis: Diagnosis, format: OutputFormat = "simple"): void {
  const whole = { ...diagnosis, clear: isClear(diagnosis) };
  if (format === "json") print(goJson(whole));
  else if (format === "yaml") print(...yamlLines(whole));
  else if (format === "jsonl" || format === "table") {
    printRecords(diagnosis.findings, format, {
      line: ({ id }) => id,
      head: ["SEVERITY", "FINDING", "PROBLEM"],
      row: ({ severity, id, problem }) => [severity, id, oneLine(problem)],
    });
  } else print(...diagnosisLines(diagnosis));
}

async function diagnose(
  flags: DoctorFlags,
  options: ClientOptions,
  flag: FlagOf,
): Promise<Diagnosis> {
  const { dataDir, walDir, to } = flags;
  if (dataDir === undefined) {
    if (walDir !== undefined) throw new Error("--wal-dir needs --data-dir");
    return await diagnoseEndpoints(flags, options, flag);
  }
  try {
    return diagnoseDirectory(collectDirectory(dataDir, walDir), to);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return unreadableDirectory(error, { dataDir, walDir }, to);
  }
}

async function diagnoseEndpoints(
  flags: DoctorFlags,
  options: ClientOptions,
  flag: FlagOf,
): Promise<Diagnosis> {
  const { to, walkTimeout = WALK_TIMEOUT_MS } = flags;
  const { keyPrefix = "", api: _, ...connection } = options;
  const { urls = [], ...client } = await clientSettings(connection, flag);
  if (urls.length === 0) throw new Error("--discovery-srv: name the members with --endpoints");
  const facts = await collectCluster({ client: { ...client, urls }, keyPrefix, walkTimeout });
  return diagnoseCluster(facts, new ClusterCommands(urls, commonOptions(options), to), to);
}

/** The options that the printed commands need, too. A password is left out. */
function commonOptions(options: ClientOptions): readonly CommonOption[] {
  const { username, passwordFile } = options;
  const given: readonly (readonly [string, string | undefined])[] = [
    ["username", username === undefined ? undefined : splitUser(username).user],
    ["password-file", passwordFile],
    ["cacert", options.cacert],
    ["cert", options.cert],
    ["key", options.key],
  ];
  return given.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
}
