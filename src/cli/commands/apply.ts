import type { Command } from "commander";
import { applyChanges } from "../apply/apply-changes.js";
import { type ApplyPlan, type Change, planOf } from "../apply/apply-plan.js";
import { changeText } from "../apply/change-text.js";
import { readCurrent } from "../apply/current-nodes.js";
import { isBelow } from "../apply/key-path.js";
import { readFiles } from "../apply/read-files.js";
import type { WantedTree } from "../apply/wanted-tree.js";
import type { OutputFormat } from "../options/client-options.js";
import { collect } from "../options/collect.js";
import { keyOf } from "../options/key-argument.js";
import { printRecords } from "../output/print-records.js";
import { CommandError } from "../process/command-error.js";
import { errorLine, reportLine } from "../process/failure.js";
import { note } from "../process/print.js";
import { clientCommand } from "./client-command.js";
import { type Session, withSession } from "./session.js";

interface ApplyFlags {
  readonly file: readonly string[];
  readonly prune?: boolean;
  readonly dryRun?: boolean;
}

export function applyCommand(): Command {
  return clientCommand(
    "apply",
    "Make a cluster have the keys of files in YAML or JSON, as get --recursive prints them. The difference is " +
      "printed first: + is created, ~ is changed, - is removed. A key that changes in the meantime is a " +
      "conflict: it is left as it is, and the exit code is 1.",
    "etcdnet apply --file config.yaml --prune /config",
  )
    .argument("[key]", "directory that must contain all keys of the files; needed for --prune")
    .requiredOption(
      "-f, --file <file>",
      "file, or directory with files named .yaml, .yml or .json; -: standard input; repeatable",
      collect,
    )
    .option("--prune", "remove what the files do not have below KEY, except hidden keys (_...)")
    .option("--dry-run", "only print the difference")
    .action((key: string | undefined, flags: ApplyFlags, command: Command) =>
      withSession(command, (session) =>
        apply(session, key === undefined ? undefined : keyOf(key), flags),
      ),
    );
}

async function apply(session: Session, key: string | undefined, flags: ApplyFlags): Promise<void> {
  const { prune = false, dryRun = false } = flags;
  if (prune && key === undefined) throw new Error("--prune needs KEY, the directory to prune");
  const scope = key === undefined || key === "/" ? key : key.replace(/\/$/, "");
  const wanted = await readFiles(flags.file);
  refuseOutside(wanted, scope);
  const { etcd, format } = session;
  const current = await readCurrent(etcd, wanted, scope);
  const plan = planOf(wanted, current, prune ? scope : undefined);
  showPlan(plan, format);
  if (dryRun) note("nothing was written");
  else await write(session, plan);
}

function refuseOutside(wanted: WantedTree, scope: string | undefined): void {
  if (scope === undefined) return;
  for (const { key, place } of wanted.nodes) {
    if (key === scope || isBelow(key, scope)) continue;
    throw new Error(`${place}: ${key} is not below ${scope}; nothing was written`);
  }
}

function showPlan(plan: ApplyPlan, format: OutputFormat): void {
  const changes = [...plan.conversions, ...plan.writes, ...plan.removals];
  if (format === "simple" || format === "extended") {
    printRecords(changes, "simple", { line: changeText, head: [], row: () => [] });
  } else {
    printRecords(changes.map(recordOf), format, {
      line: ({ key }) => key,
      head: ["CHANGE", "KEY", "VALUE", "BEFORE"],
      row: ({ change, key, value = "", before = "" }) => [change, key, value, before],
    });
  }
  const count = (kind: Change["kind"]) => changes.filter((change) => change.kind === kind).length;
  note(
    `${count("create")} to create, ${count("change")} to change, ${count("remove")} to remove, ` +
      `${plan.unchanged} unchanged`,
  );
}

interface ChangeRecord {
  readonly change: Change["kind"];
  readonly key: string;
  readonly value?: string | undefined;
  readonly before?: string | undefined;
}

function recordOf(change: Change): ChangeRecord {
  const { kind } = change;
  if (kind === "create")
    return { change: kind, key: change.wanted.key, value: change.wanted.value };
  const { key, value: before } = change.before;
  if (kind === "remove") return { change: kind, key, before };
  return { change: kind, key, value: change.wanted.value, before };
}

async function write({ etcd }: Session, plan: ApplyPlan): Promise<void> {
  let written = 0;
  let conflicts = 0;
  try {
    await applyChanges(etcd, plan, {
      onWritten: () => void written++,
      onConflict: (change, { reason }) => {
        conflicts++;
        reportLine(errorLine(`conflict: ${nameOf(change)} changed meanwhile (${reason})`));
      },
      onFailure: (change) => reportLine(errorLine(`${nameOf(change)}: not written`)),
    });
  } finally {
    note(`${written} written`);
  }
  if (conflicts > 0) throw new CommandError(`${conflicts} left as they are because of conflicts`);
}

/** The key, with its place in the files. */
function nameOf(change: Change): string {
  if (change.kind === "remove") return change.before.key;
  return `${change.wanted.key} (${change.wanted.place})`;
}
