import { Command, CommanderError } from "commander";
import { addHelpCommand } from "./commands/help.js";
import { addClientOptions, hasClientOptions } from "./options/client-options.js";
import { unusedVariables, variablesOf } from "./options/environment.js";
import { withoutGoNotation } from "./options/go-notation.js";
import { ownersText } from "./options/option-owners.js";
import { errorLine } from "./process/failure.js";
import { note } from "./process/print.js";
import { VERSION } from "./process/version.js";
import { COMMANDS, type CommandEntry } from "./registry.js";

const AFTER_HELP = `
Global options may come before or after the name of a command. serve, gateway, probe, migrate and diff
have options of their own instead. "etcdnet COMMAND --help" shows the other options of a command, with
an example.

Exit codes: 0 success; 1 wrong arguments, or a refused change of users, roles or members; 2 no member
can be reached; 4 etcd refused the request, or sent no usable response in time; 5 not every member is
healthy; 6 a write was sent, but its outcome is unknown.`;

/** An error that is reported only after all commands are loaded. */
const UNKNOWN_OPTION = /^error: unknown option/;

/** Name of the hidden command that completes a line in a shell. */
const COMPLETE = "__complete";

/** Runs the command that the arguments name. */
export async function runProgram(argv: readonly string[]): Promise<void> {
  if (argv[0] === COMPLETE) {
    const { complete } = await import("./completion/complete.js");
    return await complete(argv.slice(1), programFor);
  }
  const program = await programFor(calledCommand(argv));
  try {
    await program.parseAsync(withoutGoNotation(argv, program), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    note(
      errorLine(`${usageProblem(error.message, program)}${await adviceOnOption(error.message)}`),
    );
    process.exitCode = error.exitCode;
  }
}

/** Names the commands that have an option, for a message that another command does not have it. */
async function adviceOnOption(message: string): Promise<string> {
  const [, name = ""] = /'-*([\w-]+)/.exec(message) ?? [];
  const flag = name.length > 1 ? `--${name}` : `-${name}`;
  return ownersText(flag, await wholeProgram());
}

/** The program, with only the called command loaded. */
export async function programFor(called: string | undefined): Promise<Command> {
  return await programWith(({ name }) => name === called);
}

/** The program with all commands. */
export async function wholeProgram(): Promise<Command> {
  return await programWith(() => true);
}

async function programWith(isNeeded: (entry: CommandEntry) => boolean): Promise<Command> {
  const program = newProgram();
  for (const entry of COMMANDS) {
    program.addCommand(isNeeded(entry) ? await loaded(entry) : placeholder(entry));
  }
  return withErrorFormat(addHelpCommand(program));
}

function newProgram(): Command {
  return withErrorFormat(addClientOptions(new Command("etcdnet")))
    .description("Read, write, watch, migrate and serve etcd's v2 key space.")
    .usage("[options] COMMAND [options] [arguments]")
    .option("-v, --version", "print the version")
    .on("option:version", printVersion)
    .enablePositionalOptions()
    .commandsGroup("This program:")
    .helpCommand(false)
    .addHelpText("after", AFTER_HELP)
    .hook("preAction", refuseGlobalOptions)
    .hook("preAction", warnAboutVariables);
}

/** Refuses options before the name of a command that would ignore them. */
function refuseGlobalOptions(program: Command, command: Command): void {
  if (hasClientOptions(command)) return;
  const isGiven = (name: string): boolean => program.getOptionValueSource(name) === "cli";
  const option = program.options.find((each) => isGiven(each.attributeName()));
  if (option === undefined) return;
  const path = pathOf(command);
  const isOwn = command.options.some(({ long }) => long === option.long);
  const advice = isOwn ? `write it after ${path}` : `see ${path} --help`;
  command.error(`error: ${option.long} is not a global option of ${path}; ${advice}`);
}

/**
 * Warns about variables that look like those of this program and set nothing. A server names all of them.
 * Another command may run in the environment of a server, so it accepts the variables of all commands.
 */
async function warnAboutVariables(program: Command, command: Command): Promise<void> {
  const own = isServer(command) ? variablesOf(command) : [];
  let unused = unusedVariables(own.length > 0 ? own : variablesOf(program), process.env);
  if (unused.length > 0 && own.length === 0) {
    unused = unusedVariables(allVariables(await wholeProgram()), process.env);
  }
  for (const { name, meant } of unused) {
    const advice = meant === undefined ? "" : `; did you mean ${meant}?`;
    note(`warning: ${name} is not a variable of ${pathOf(command)}${advice}`);
  }
}

/** `probe` has variables too, but runs in the environment of its server. */
function isServer(command: Command): boolean {
  return command.options.some(({ long }) => long === "--advertise");
}

function allVariables(command: Command): readonly string[] {
  return [...variablesOf(command), ...command.commands.flatMap(allVariables)];
}

/** The first argument that is not an option; for `help`, the second. */
function calledCommand(argv: readonly string[]): string | undefined {
  const program = newProgram();
  const { operands } = program.parseOptions(withoutGoNotation(argv, program));
  return operands[0] === "help" ? operands[1] : operands[0];
}

async function loaded({ load, summary, group }: CommandEntry): Promise<Command> {
  return withRequiredOptionsLast(withErrorFormat(await load()))
    .summary(summary)
    .helpGroup(group);
}

/** Checks required options after unknown ones: an unknown one may be the misspelled name of a required one. */
function withRequiredOptionsLast(command: Command): Command {
  for (const child of command.commands) withRequiredOptionsLast(child);
  const required = command.options.filter(({ mandatory }) => mandatory);
  // Commander would check it first.
  for (const option of required) option.mandatory = false;
  return command.hook("preAction", () => {
    const isMissing = (name: string): boolean => command.getOptionValue(name) === undefined;
    const missing = required.find((option) => isMissing(option.attributeName()));
    if (missing === undefined) return;
    const code = "commander.missingMandatoryOptionValue";
    command.error(`error: required option '${missing.flags}' not specified`, { code });
  });
}

/** An entry in the list of commands, for a command that was not called. */
function placeholder({ name, summary, group }: CommandEntry): Command {
  return new Command(name).description(summary).helpOption(false).helpGroup(group);
}

/** Prints usage errors in one line, in the format of all other errors. */
function withErrorFormat(command: Command): Command {
  for (const child of command.commands) withErrorFormat(child);
  return command
    .configureOutput({
      outputError: (text, write) => {
        if (!UNKNOWN_OPTION.test(text)) write(`${errorLine(usageProblem(text, command))}\n`);
      },
    })
    .exitOverride((error) => {
      if (UNKNOWN_OPTION.test(error.message)) throw error;
      process.exit(error.exitCode);
    });
}

function usageProblem(text: string, command: Command): string {
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
  process.stdout.write(`etcdnet ${VERSION}\n`);
  process.exit(0);
}
