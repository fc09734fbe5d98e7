import type { Argument, Command, Option } from "commander";
import { hasClientOptions } from "../options/client-options.js";

/** What the words before the cursor mean. */
export interface ParsedLine {
  readonly command: Command;
  /** The option whose value is at the cursor. */
  readonly option: Option | undefined;
  /** The argument at the cursor. */
  readonly argument: Argument | undefined;
  /** Whether `--` came before: then nothing is an option. */
  readonly isLiteral: boolean;
  /** The values of the options so far. */
  readonly given: ReadonlyMap<Option, string>;
}

/** Parses words as the program does, but without refusing anything: the line is not finished. */
export function parseLine(program: Command, before: readonly string[]): ParsedLine {
  let command = program;
  let option: Option | undefined;
  let isLiteral = false;
  const operands: string[] = [];
  const given = new Map<Option, string>();
  for (const word of before) {
    if (option !== undefined) {
      given.set(option, word);
      option = undefined;
    } else if (isLiteral || !/^-./.test(word)) {
      const child = operands.length > 0 ? undefined : commandNamed(command, word);
      if (child === undefined) operands.push(word);
      else command = child;
    } else if (word === "--") isLiteral = true;
    else {
      const [flag, value] = flagAndValue(word);
      const found = optionsFor(command).find((each) => isNamed(each, flag));
      if (found === undefined || !takesValue(found)) continue;
      if (value === undefined) option = found;
      else given.set(found, value);
    }
  }
  const { registeredArguments: declared } = command;
  const last = declared.at(-1);
  const rest = last?.variadic === true ? last : undefined;
  const argument = option === undefined ? (declared[operands.length] ?? rest) : undefined;
  return { command, option, argument, isLiteral, given };
}

/** The options that a command accepts here, its own ones first. */
export function optionsFor(command: Command): readonly Option[] {
  const program = programOf(command);
  const isForCluster = command.commands.some(hasClientOptions) || hasClientOptions(command);
  const globalOptions = isForCluster ? program.options : [];
  const own = command.options.filter(
    ({ hidden, long }) => !(hidden && globalOptions.some((option) => option.long === long)),
  );
  const names = new Set(own.map(({ long }) => long));
  return [...own, ...globalOptions.filter(({ long }) => !names.has(long))];
}

export function takesValue({ required, optional }: Option): boolean {
  return required || optional;
}

/** The flag of an option, and its value after `=` or behind a letter. */
export function flagAndValue(word: string): readonly [flag: string, value: string | undefined] {
  const [, flag = word, value] = /^(--?[\w-]+)=(.*)$/s.exec(word) ?? [];
  if (value !== undefined || word.startsWith("--") || word.length === 2) return [flag, value];
  return [word, undefined];
}

/** As in etcdctl, `-name` means `--name`. */
function isNamed({ long, short }: Option, flag: string): boolean {
  return flag === long || flag === short || (flag.length > 2 && `-${flag}` === long);
}

function commandNamed({ commands }: Command, name: string): Command | undefined {
  return commands.find((child) => child.name() === name);
}

function programOf(command: Command): Command {
  return command.parent === null ? command : programOf(command.parent);
}
