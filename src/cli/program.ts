import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { addClientOptions } from "./options/client-options.js";
import { withoutGoNotation } from "./options/go-notation.js";
import { errorLine } from "./process/failure.js";
import { COMMANDS, type CommandEntry } from "./registry.js";

const AFTER_HELP = `
Options that all commands take may come before a command's name or after it. "etcdnet COMMAND --help"
shows what else it takes, with an example.

Exit codes: 0 done; 1 called wrongly, or refused where users, roles and members are concerned;
2 no member can be reached; 4 etcd refused, or gave no usable answer in time; 5 not every member is
healthy; 6 a write was sent, and whether it took effect is not known.`;

/** The one command that needs the others. */
const COMPLETES_ALL = "completion";

/** Runs the command that the arguments name. */
export async function runProgram(argv: readonly string[]): Promise<void> {
  const program = await programFor(calledCommand(argv));
  await program.parseAsync(withoutGoNotation(argv, program), { from: "user" });
}

/** The program in which the called command alone is loaded; with all others for `completion`. */
export async function programFor(called: string | undefined): Promise<Command> {
  const program = newProgram();
  for (const entry of COMMANDS) {
    const isNeeded = called === entry.name || called === COMPLETES_ALL;
    program.addCommand(isNeeded ? await loaded(entry) : placeholder(entry));
  }
  return program;
}

function newProgram(): Command {
  return forErrors(addClientOptions(new Command("etcdnet")))
    .description("etcd's v2 key space: read, write and watch it, move it, serve it")
    .usage("[options] COMMAND [options] [arguments]")
    .option("-v, --version", "print the version")
    .on("option:version", printVersion)
    .enablePositionalOptions()
    .addHelpText("after", AFTER_HELP);
}

/** The first argument that is no option; that of `help` where it is asked for. */
function calledCommand(argv: readonly string[]): string | undefined {
  const program = newProgram();
  const { operands } = program.parseOptions(withoutGoNotation(argv, program));
  return operands[0] === "help" ? operands[1] : operands[0];
}

async function loaded({ load, summary }: CommandEntry): Promise<Command> {
  return forErrors(await load()).summary(summary);
}

/** Stands in the list of commands for one that was not called. */
function placeholder({ name, summary }: CommandEntry): Command {
  return new Command(name).description(summary).helpOption(false);
}

/** Every mistake in one line, in the form of all other errors. */
function forErrors(command: Command): Command {
  for (const child of command.commands) forErrors(child);
  return command.configureOutput({
    outputError: (text, write) => write(`${errorLine(kindly(text, command))}\n`),
  });
}

function kindly(text: string, command: Command): string {
  const problem = text.replace(/^error: /, "").trim();
  const [, missing] = /^missing required argument '(.*)'$/.exec(problem) ?? [];
  return missing === undefined
    ? problem
    : `${missing} required: ${pathOf(command)} ${command.usage()}`;
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function printVersion(): void {
  const file = fileURLToPath(import.meta.resolve("etcdnet/package.json"));
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { readonly version: string };
  process.stdout.write(`etcdnet ${version}\n`);
  process.exit(0);
}
