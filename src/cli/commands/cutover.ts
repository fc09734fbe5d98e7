import type { Command } from "commander";
import { EtcdClient } from "../../client/etcd-client.js";
import { arm, disarm } from "../../cutover/arm.js";
import { cutoverStatus } from "../../cutover/cutover-status.js";
import { abort, flip } from "../../cutover/flip.js";
import { type CutoverTarget, openTarget } from "../../cutover/open-target.js";
import { systemClock } from "../../time/clock.js";
import { clientOptionsOf, type OutputFormat } from "../options/client-options.js";
import { clientSettings } from "../options/client-settings.js";
import { collect } from "../options/collect.js";
import { parseDuration } from "../options/duration.js";
import { keyOf } from "../options/key-argument.js";
import { notEmpty, urlsOf } from "../options/option-files.js";
import { parsePositive } from "../options/whole-number.js";
import { LossLines } from "../output/loss-lines.js";
import { copiedText, isWorthShowing, MigrationText } from "../output/migration-text.js";
import { printRecords } from "../output/print-records.js";
import { ProgressLine } from "../output/progress-line.js";
import { reportFailure } from "../process/failure.js";
import { flagNames } from "../process/flag-names.js";
import { print } from "../process/print.js";
import { clientCommand } from "./client-command.js";
import { commandGroup } from "./command-group.js";

/** Milliseconds for which requests may be held, if the operator does not say. */
const DEFAULT_HOLD_MS = 2_000;

interface SourceFlags {
  readonly source: readonly string[];
  readonly sourceCacert?: string;
  readonly sourceCert?: string;
  readonly sourceKey?: string;
}

interface ArmFlags extends SourceFlags {
  readonly gateways: number;
  readonly hold: number;
}

interface FlipFlags extends SourceFlags {
  readonly hidden?: readonly string[];
  readonly rate?: number;
  readonly overwrite?: boolean;
  readonly lossy?: boolean;
}

/** `etcdnet cutover`: switches gateways from a v2 cluster to a v3 cluster. */
export function cutoverCommand(): Command {
  const description =
    "Switch gateways that were started with --source and --endpoints from a v2 cluster to a v3 cluster.";
  return commandGroup("cutover", description, [
    statusCommand(),
    armCommand(),
    flipCommand(),
    abortCommand(),
    disarmCommand(),
  ]);
}

function statusCommand(): Command {
  const example = "etcdnet --endpoints http://v3:2379 cutover status -o json";
  return clientCommand("status", "Show the state and the gateways.", example).action(
    (_flags: object, command: Command) => withTarget(command, showStatus),
  );
}

async function showStatus({ records }: CutoverTarget, format: OutputFormat): Promise<void> {
  const status = await cutoverStatus(records);
  if (format === "json") return print(JSON.stringify(status));
  print(`state: ${status.state}`);
  for (const blocker of status.blockers) print(`blocker: ${blocker}`);
  printRecords(status.gateways, format, {
    line: ({ url, host, follows }) => `gateway: ${url} (${host}) follows ${follows}`,
    head: ["URL", "HOST", "FOLLOWS", "HIDDEN KEYS"],
    row: ({ url, host, follows, hidden }) => [url, host, follows, hidden.join(",")],
  });
}

function armCommand(): Command {
  const example =
    "etcdnet --endpoints http://v3:2379 cutover arm --source http://v2:2379 --gateways 3";
  return withSourceOptions(
    clientCommand("arm", "Prepare all gateways. They need both clusters from now on.", example),
  )
    .requiredOption(
      "--gateways <number>",
      "number of gateways that serve applications; all must take part",
      parsePositive,
    )
    .option(
      "--hold <duration>",
      "longest time for which requests wait at the switch",
      parseDuration,
      DEFAULT_HOLD_MS,
    )
    .action((flags: ArmFlags, command: Command) =>
      withTarget(command, async (target) => {
        await using source = openSource(flags);
        await arm(source, target, flags);
        print("armed");
      }),
    );
}

function flipCommand(): Command {
  const example = "etcdnet --endpoints http://v3:2379 cutover flip --source http://v2:2379";
  return withSourceOptions(
    clientCommand(
      "flip",
      "Copy everything to v3, then switch all gateways. Without success, they go on with v2.",
      example,
    ),
  )
    .option("--hidden <key>", "hidden key (_...) to include; repeatable", collect)
    .option("--rate <number>", "maximum number of keys written per second", parsePositive)
    .option("--overwrite", "accept a v3 cluster with other data, which is removed")
    .option("--lossy", "continue if keys or values cannot be copied unchanged; each one is named")
    .action((flags: FlipFlags, command: Command) =>
      withTarget(command, async (target) => {
        await using source = openSource(flags);
        await showFlip(source, target, flags);
      }),
    );
}

async function showFlip(
  source: EtcdClient,
  target: CutoverTarget,
  { hidden = [], rate, overwrite, lossy }: FlipFlags,
): Promise<void> {
  const line = new ProgressLine(systemClock, process.stderr);
  const text = new MigrationText();
  const losses = new LossLines(line);
  try {
    const { end, pause, copied } = await flip(source, target, {
      ...{ hidden: hidden.map(keyOf), rate, overwrite, lossy },
      onLoss: losses.show,
      onProgress: (progress) => {
        if (isWorthShowing(progress)) line.show(() => text.of(progress));
      },
      onHold: () => line.note("holding"),
    });
    line.note(`copied: ${copiedText(copied)}`);
    print(`switched at index ${end} of v2; requests waited for ${Math.round(pause)} ms`);
  } finally {
    line.clear();
  }
}

function abortCommand(): Command {
  const example = "etcdnet --endpoints http://v3:2379 cutover abort";
  const description = "End a hold whose flip has stopped. Gateways also do that themselves.";
  return clientCommand("abort", description, example).action((_flags: object, command: Command) =>
    withTarget(command, async (target) => {
      await abort(target);
      print("armed");
    }),
  );
}

function disarmCommand(): Command {
  const example = "etcdnet --endpoints http://v3:2379 cutover disarm";
  const description = "Undo arm: the gateways need only v2 again.";
  return clientCommand("disarm", description, example).action((_flags: object, command: Command) =>
    withTarget(command, async (target) => {
      await disarm(target);
      print("disarmed");
    }),
  );
}

function withSourceOptions(command: Command): Command {
  return command
    .requiredOption("--source <urls>", "client URLs of the v2 cluster, comma-separated", urlsOf)
    .option("--source-cacert <file>", "certificate authorities of the v2 cluster (PEM)", notEmpty)
    .option("--source-cert <file>", "client certificate for the v2 cluster (PEM)", notEmpty)
    .option("--source-key <file>", "key of --source-cert (PEM)", notEmpty);
}

/** Runs a command with the v3 cluster; reports a failure as a line and an exit code. */
async function withTarget(
  command: Command,
  run: (target: CutoverTarget, format: OutputFormat) => Promise<void>,
): Promise<void> {
  const { options, flag } = clientOptionsOf(command);
  try {
    await using target = openTarget(await clientSettings({ ...options, api: "v3" }, flag));
    await run(target, options.output ?? "simple");
  } catch (error) {
    reportFailure(error, options.debug, flagNames(flag, flag));
  }
}

function openSource({ source: urls, sourceCacert, sourceCert, sourceKey }: SourceFlags) {
  const tls = {
    ...(sourceCacert !== undefined && { caFile: sourceCacert }),
    ...(sourceCert !== undefined && { certFile: sourceCert }),
    ...(sourceKey !== undefined && { keyFile: sourceKey }),
  };
  return new EtcdClient({ urls, ...(Object.keys(tls).length > 0 && { tls }) });
}
