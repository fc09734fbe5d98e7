import { resolve } from "node:path";
import { Command } from "commander";
import { attributeOf, type ClientOptions, clientOptionsOf } from "../options/client-options.js";
import {
  CONTEXT_FIELDS,
  type Context,
  contextsFile,
  readContexts,
  secretProblem,
  writeContexts,
} from "../options/contexts.js";
import { printRecords } from "../output/print-records.js";
import { note } from "../process/print.js";
import { withFailureReport } from "../process/with-failure-report.js";
import { clientCommand } from "./client-command.js";
import { commandGroup } from "./command-group.js";

const FILES: ReadonlySet<string> = new Set(["password-file", "cacert", "cert", "key"]);
const NAME = /^\w[\w.-]*$/;

export function contextCommand(): Command {
  return commandGroup("context", "Name clusters, so that commands need no options for them.", [
    addCommand(),
    useCommand(),
    listCommand(),
    removeCommand(),
  ]);
}

function addCommand(): Command {
  return clientCommand(
    "add",
    "Store the global options of this command line as a context: endpoints, API, prefixes, user and " +
      "certificates. The names of files are stored, and no password.",
    "etcdnet context add prod --endpoints https://a:2379,https://b:2379 --cacert ca.pem -u root --password-file secret",
  )
    .argument("<name>")
    .option("--overwrite", "replace a context of this name")
    .action((name: string, { overwrite = false }: { overwrite?: boolean }, command: Command) =>
      withFailureReport(false, async () => {
        if (!NAME.test(name)) {
          throw new Error("name: must have letters, digits, dots, dashes and underscores only");
        }
        // The environment has no part in it: it may be meant for another cluster.
        const context = contextOf(clientOptionsOf(command, {}).options);
        const { current, contexts } = readContexts(process.env);
        if (Object.hasOwn(contexts, name) && !overwrite) {
          throw new Error(`context ${name} exists; use --overwrite to replace it`);
        }
        await writeContexts({ current, contexts: { ...contexts, [name]: context } }, process.env);
        if (current !== name)
          note(`stored; "etcdnet context use ${name}" makes it the current one`);
      }),
    );
}

/** @throws Error for a password, or without an option */
function contextOf(options: ClientOptions): Context {
  const entries = CONTEXT_FIELDS.flatMap((field) => {
    const value = options[attributeOf(field) as keyof ClientOptions];
    if (typeof value !== "string" || value === "") return [];
    const problem = secretProblem(field, value);
    if (problem !== undefined) throw new Error(`--${problem}`);
    return [[field, FILES.has(field) ? resolve(value) : value] as const];
  });
  if (entries.length === 0) throw new Error("no option was given, such as --endpoints");
  return Object.fromEntries(entries);
}

function useCommand(): Command {
  return new Command("use")
    .description("Make a context the current one, or with --none, none.")
    .argument("[name]")
    .option("--none", "no context is the current one")
    .addHelpText("after", "\nExample:\n  etcdnet context use prod")
    .action((name: string | undefined, { none = false }: { none?: boolean }) =>
      withFailureReport(false, async () => {
        if (none === (name !== undefined)) throw new Error("give the name of a context, or --none");
        const { contexts } = readContexts(process.env);
        if (name !== undefined) requireContext(contexts, name);
        await writeContexts({ current: name, contexts }, process.env);
      }),
    );
}

function listCommand(): Command {
  return clientCommand(
    "list",
    "List the contexts. * marks the current one.",
    "etcdnet context list",
  ).action((_flags: object, command: Command) =>
    withFailureReport(false, async () => {
      const { current, contexts } = readContexts(process.env);
      const { output = "simple" } = clientOptionsOf(command, {}).options;
      const records = Object.entries(contexts).map(([name, context]) => ({
        name,
        current: name === current,
        ...context,
      }));
      const mark = (record: { current: boolean }): string => (record.current ? "*" : " ");
      printRecords(records, output, {
        line: (record) => `${mark(record)} ${record.name}  ${targetOf(record)}`,
        head: ["", "NAME", "CLUSTER", "API", "USER"],
        row: (record) => [
          ...[mark(record), record.name, targetOf(record)],
          ...[record.api ?? "v2", record.username ?? ""],
        ],
      });
    }),
  );
}

function targetOf(context: Context): string {
  return context.endpoints ?? context["discovery-srv"] ?? "";
}

function removeCommand(): Command {
  return new Command("remove")
    .description("Remove a context.")
    .argument("<name>")
    .addHelpText("after", "\nExample:\n  etcdnet context remove prod")
    .action((name: string) =>
      withFailureReport(false, async () => {
        const { current, contexts } = readContexts(process.env);
        requireContext(contexts, name);
        const { [name]: _, ...others } = contexts;
        const next = current === name ? undefined : current;
        await writeContexts({ current: next, contexts: others }, process.env);
      }),
    );
}

function requireContext(contexts: Readonly<Record<string, Context>>, name: string): void {
  if (Object.hasOwn(contexts, name)) return;
  throw new Error(`context ${name} does not exist in ${contextsFile(process.env)}`);
}
