import type { Command } from "commander";
import { arm, DEFAULT_HOLD_MS, disarm } from "../../cutover/arm.js";
import { back, DEFAULT_LATE_MS, finish } from "../../cutover/back.js";
import { type CutoverCheck, check, DEFAULT_OBSERVE_MS } from "../../cutover/check.js";
import type { ClientUse } from "../../cutover/client-use.js";
import type { CopyStatus } from "../../cutover/copy-status.js";
import { cutoverStatus } from "../../cutover/cutover-status.js";
import { abort, flip } from "../../cutover/flip.js";
import { type CutoverSource, openSource } from "../../cutover/open-source.js";
import { type CutoverTarget, openTarget } from "../../cutover/open-target.js";
import { systemClock } from "../../time/clock.js";
import type { MigrationProgress } from "../../transfer/migrate/migration-progress.js";
import { clientOptionsOf, type OutputFormat } from "../options/client-options.js";
import { clientSettings } from "../options/client-settings.js";
import { collect } from "../options/collect.js";
import {
  addSourceOptions,
  type SourceFlags,
  sourceOption,
  sourceSettings,
} from "../options/cutover-source-options.js";
import { parseDuration } from "../options/duration.js";
import { keyOf } from "../options/key-argument.js";
import { parsePositive } from "../options/whole-number.js";
import { LossLines } from "../output/loss-lines.js";
import { copiedText, isWorthShowing, MigrationText } from "../output/migration-text.js";
import { oneLine } from "../output/one-line.js";
import { printRecords } from "../output/print-records.js";
import { ProgressLine } from "../output/progress-line.js";
import { yamlLines } from "../output/yaml-text.js";
import { ExitCode } from "../process/exit-code.js";
import { reportFailure } from "../process/failure.js";
import { flagNames } from "../process/flag-names.js";
import { print } from "../process/print.js";
import { clientCommand } from "./client-command.js";
import { commandGroup } from "./command-group.js";

/** Clients that `check` lists. */
const MAX_CLIENTS = 20;
interface ArmFlags extends SourceFlags {
  readonly gateways: number;
  readonly hold: number;
}

interface CopyFlags extends SourceFlags {
  readonly hidden?: readonly string[];
  readonly overwrite?: boolean;
  readonly lossy?: boolean;
  readonly withoutUser?: readonly string[];
}

interface FlipFlags extends CopyFlags {
  readonly rate?: number;
}

interface BackFlags extends SourceFlags {
  readonly late: number;
  readonly passwordSet?: readonly string[];
  readonly lossy?: boolean;
  readonly rate?: number;
}

interface CheckFlags extends CopyFlags {
  readonly hold: number;
  readonly observe: number;
}

/** `etcdnet cutover`: switches gateways from a v2 cluster to a v3 cluster. */
export function cutoverCommand(): Command {
  const description =
    "Switch gateways that were started with --source and --endpoints from a v2 cluster to a v3 cluster.";
  return commandGroup("cutover", description, [
    statusCommand(),
    checkCommand(),
    armCommand(),
    rehearseCommand(),
    flipCommand(),
    backCommand(),
    finishCommand(),
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
  if (format === "json" || format === "jsonl") return print(JSON.stringify(status));
  if (format === "yaml") return print(...yamlLines(status));
  print(`state: ${status.state}`);
  if (status.copy !== null) print(copyLine(status.copy));
  // Clients choose the names of keys, and everybody with rights on v3 can write a record.
  for (const blocker of status.blockers) print(oneLine(`blocker: ${blocker}`));
  for (const alarm of status.alarms) print(oneLine(`alarm: ${alarm}`));
  printRecords(status.gateways, format, {
    line: ({ url, host, follows }) => oneLine(`gateway: ${url} (${host}) follows ${follows}`),
    head: ["URL", "HOST", "FOLLOWS", "HIDDEN KEYS"],
    row: ({ url, host, follows, hidden }) =>
      [url, host, follows, hidden.join(",")].map((text) => oneLine(text)),
  });
}

function copyLine({ to, phase, compared, total, waiting }: CopyStatus): string {
  const nodes = phase === "checking" ? `${compared} nodes` : `${compared} of ${total} nodes`;
  return `copy to ${to}: ${phase}, ${nodes}, lag ${waiting}`;
}

function checkCommand(): Command {
  const example = "etcdnet --endpoints http://v3:2379 cutover check --source http://v2:2379";
  const description =
    "Examine what would prevent a switch, or would be noticed. It changes no key. " +
    "Exit code 0: nothing prevents it. 1: a blocker does.";
  return withHoldOption(
    withCopyOptions(withSourceOptions(clientCommand("check", description, example))),
  )
    .option(
      "--observe <duration>",
      "time for which changes of v2 are counted, to find programs that do not use the gateways",
      parseDuration,
      DEFAULT_OBSERVE_MS,
    )
    .action((flags: CheckFlags, command: Command) =>
      withTarget(command, async (target, format) => {
        await using source = openSource(await sourceSettings(flags));
        await showCheck(source, target, flags, format);
      }),
    );
}

async function showCheck(
  { client, memberAt }: CutoverSource,
  target: CutoverTarget,
  { hidden = [], overwrite, lossy, hold, observe, withoutUser }: CheckFlags,
  format: OutputFormat,
): Promise<void> {
  const line = new ProgressLine(systemClock, process.stderr);
  const text = new MigrationText();
  try {
    const result = await check(client, target, {
      ...{ hidden: hidden.map(keyOf), overwrite, lossy, hold, observe },
      ...{ memberAt, withoutUsers: withoutUser },
      onProgress: (progress) => {
        if (isWorthShowing(progress)) line.show(() => text.of(progress));
      },
    });
    line.clear();
    if (format === "json" || format === "jsonl") print(JSON.stringify(result));
    else if (format === "yaml") print(...yamlLines(result));
    else print(...checkLines(result));
    if (result.blockers.length > 0) process.exitCode = ExitCode.blocked;
  } finally {
    line.clear();
  }
}

function checkLines(result: CutoverCheck): string[] {
  const { blockers, warnings, hidden, nodes, leased, census } = result;
  const lines = [
    ...blockers.map((text) => `blocker: ${text}`),
    ...warnings.map((text) => `warning: ${text}`),
    ...hidden.map((key) => `hidden key: ${key}`),
  ];
  if (nodes !== undefined) lines.push(`nodes: ${nodes}, with a TTL: ${leased}`);
  if (census !== undefined) {
    lines.push(
      `changes of v2 that were counted: ${census.changes}`,
      ...clientLines(census.clients),
    );
  }
  if (blockers.length === 0) lines.push("nothing prevents the switch");
  return lines.map((line) => oneLine(line));
}

function clientLines(clients: readonly ClientUse[]): string[] {
  const lines = clients.slice(0, MAX_CLIENTS).map((client) => {
    const { address, agent, reads, writes, watches, indexedWatches } = client;
    const name = [address, agent].filter((part) => part !== "").join(" ") || "unknown";
    const watched = `${watches} watches, ${indexedWatches} of them with waitIndex`;
    return `client: ${name}: ${reads} reads, ${writes} writes, ${watched}`;
  });
  const more = clients.length - lines.length;
  return more > 0 ? [...lines, `and ${more} more clients: -o json shows them`] : lines;
}

function armCommand(): Command {
  const example =
    "etcdnet --endpoints http://v3:2379 cutover arm --source http://v2:2379 --gateways 3";
  return withHoldOption(
    withSourceOptions(
      clientCommand("arm", "Prepare all gateways. They need both clusters from now on.", example),
    ),
  )
    .requiredOption(
      "--gateways <number>",
      "number of gateways that serve applications; all must take part",
      parsePositive,
    )
    .action((flags: ArmFlags, command: Command) =>
      withTarget(command, async (target) => {
        await using source = openSource(await sourceSettings(flags));
        const { client, memberAt, user } = source;
        await arm(client, target, { ...flags, memberAt, user });
        print("armed");
      }),
    );
}

function rehearseCommand(): Command {
  const example = "etcdnet --endpoints http://v3:2379 cutover rehearse --source http://v2:2379";
  const description = "Do all that flip does, except for the switch: requests wait as long.";
  return withFlipAction(clientCommand("rehearse", description, example), true);
}

function flipCommand(): Command {
  const example = "etcdnet --endpoints http://v3:2379 cutover flip --source http://v2:2379";
  const description =
    "Copy everything to v3, then switch all gateways. Without success, they go on with v2.";
  return withFlipAction(clientCommand("flip", description, example), false);
}

function withFlipAction(command: Command, rehearse: boolean): Command {
  return withCopyOptions(withSourceOptions(command))
    .option("--rate <number>", "maximum number of keys written per second", parsePositive)
    .action((flags: FlipFlags, parsed: Command) =>
      withTarget(parsed, async (target) => {
        await using source = openSource(await sourceSettings(flags));
        await showFlip(source, target, flags, rehearse);
      }),
    );
}

async function showFlip(
  { client, memberAt }: CutoverSource,
  target: CutoverTarget,
  { hidden = [], rate, overwrite, lossy, withoutUser }: FlipFlags,
  rehearse: boolean,
): Promise<void> {
  using show = new CopyLines();
  const { end, pause, copied } = await flip(client, target, {
    ...{ hidden: hidden.map(keyOf), rate, overwrite, lossy, rehearse },
    ...{ memberAt, withoutUsers: withoutUser },
    ...show.callbacks,
  });
  show.done(copied);
  const done = rehearse ? "ready to switch" : "switched";
  print(`${done} at index ${end} of v2; requests waited for ${Math.round(pause)} ms`);
}

/** Shows a copy, and the hold after it. */
class CopyLines implements Disposable {
  readonly #line = new ProgressLine(systemClock, process.stderr);
  readonly #text = new MigrationText();
  readonly callbacks = {
    onLoss: new LossLines(this.#line).show,
    onProgress: (progress: MigrationProgress): void => {
      if (isWorthShowing(progress)) this.#line.show(() => this.#text.of(progress));
    },
    onHold: (): void => this.#line.note("holding"),
  };

  done(copied: MigrationProgress): void {
    this.#line.note(`copied: ${copiedText(copied)}`);
  }

  [Symbol.dispose](): void {
    this.#line.clear();
  }
}

function backCommand(): Command {
  const example = "etcdnet --endpoints http://v3:2379 cutover back --source http://v2:2379";
  const description =
    "After the switch: copy v3 back to the v2 cluster, and let all gateways serve from it again.";
  return withSourceOptions(clientCommand("back", description, example))
    .option("--lossy", "continue if keys or values cannot be copied unchanged; each one is named")
    .option("--rate <number>", "maximum number of keys written per second", parsePositive)
    .option(
      "--late <duration>",
      "time after which no write arrives at v2 that an earlier attempt has sent",
      parseDuration,
      DEFAULT_LATE_MS,
    )
    .option(
      "--password-set <user>",
      "user whose password was changed on v3, and that you have set on v2 too; repeatable",
      collect,
    )
    .action((flags: BackFlags, parsed: Command) =>
      withTarget(parsed, async (target) => {
        await using source = openSource(await sourceSettings(flags));
        await showBack(source, target, flags);
      }),
    );
}

async function showBack(
  { client, memberAt, guest }: CutoverSource,
  target: CutoverTarget,
  { rate, lossy, late, passwordSet }: BackFlags,
): Promise<void> {
  using show = new CopyLines();
  const { end, pause, copied } = await back(client, target, {
    ...{ rate, lossy, late, memberAt, guest, passwordsSet: passwordSet },
    ...show.callbacks,
  });
  show.done(copied);
  print(`returned to v2 at index ${end} of v3; requests waited for ${Math.round(pause)} ms`);
}

function finishCommand(): Command {
  const example = "etcdnet --endpoints http://v3:2379 cutover finish";
  const description = "Give up the way back: v2 can be stopped, and gateways no longer watch it.";
  return clientCommand("finish", description, example).action((_flags: object, command: Command) =>
    withTarget(command, async (target) => {
      await finish(target);
      print("finished");
    }),
  );
}

function abortCommand(): Command {
  const example = "etcdnet --endpoints http://v3:2379 cutover abort";
  const description = "End a hold whose flip has stopped. Gateways also do that themselves.";
  return clientCommand("abort", description, example).action((_flags: object, command: Command) =>
    withTarget(command, async (target) => {
      print(await abort(target));
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
  return addSourceOptions(command.addOption(sourceOption().makeOptionMandatory()));
}

function withHoldOption(command: Command): Command {
  const text = "longest time for which requests wait at the switch";
  return command.option("--hold <duration>", text, parseDuration, DEFAULT_HOLD_MS);
}

function withCopyOptions(command: Command): Command {
  return command
    .option(
      "--hidden <key>",
      "hidden key (_...) that no application has used since the gateways were started; repeatable",
      collect,
    )
    .option("--overwrite", "accept a v3 cluster with other data, which is removed")
    .option(
      "--without-user <user>",
      "user of v2 auth that is not copied: it cannot log in after the switch; repeatable",
      collect,
    )
    .option("--lossy", "continue if keys or values cannot be copied unchanged; each one is named");
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
