import type { Argument, Command, Option } from "commander";
import { readContexts } from "../options/contexts.js";
import { keysBelow } from "./cluster-keys.js";
import { flagAndValue, optionsFor, type ParsedLine, parseLine, takesValue } from "./parsed-line.js";

/** What may stand at the cursor. */
export interface Candidates {
  /** Names of files, which the shell completes. */
  readonly isFile: boolean;
  readonly words: readonly CandidateWord[];
}

interface CandidateWord {
  readonly word: string;
  readonly description?: string;
}

const NOTHING: Candidates = { isFile: false, words: [] };
const FILES: Candidates = { isFile: true, words: [] };

/** What can follow the words before the cursor, for the beginning of a word at the cursor. */
export async function candidatesFor(
  program: Command,
  before: readonly string[],
  current: string,
): Promise<Candidates> {
  const line = parseLine(program, before);
  if (line.option !== undefined)
    return startingWith(current, await valuesOf(line.option, line, current));
  if (line.isLiteral || !current.startsWith("-")) {
    const words = line.isLiteral ? [] : commandsOf(line.command);
    const own = startingWith(current, { isFile: false, words });
    if (own.words.length > 0 || line.argument === undefined) return own;
    return startingWith(current, await valuesOf(line.argument, line, current));
  }
  const [flag, value] = flagAndValue(current);
  if (value === undefined) return startingWith(current, { isFile: false, words: flagsOf(line) });
  const option = optionsFor(line.command).find(({ long }) => long === flag);
  if (option === undefined || !takesValue(option)) return NOTHING;
  const { isFile, words } = startingWith(value, await valuesOf(option, line, value));
  return { isFile, words: words.map((each) => ({ ...each, word: `${flag}=${each.word}` })) };
}

function startingWith(start: string, { isFile, words }: Candidates): Candidates {
  return { isFile, words: words.filter(({ word }) => word.startsWith(start)) };
}

function commandsOf({ commands }: Command): readonly CandidateWord[] {
  return commands.map((child) => ({
    word: child.name(),
    description: firstSentence(child.summary() || child.description()),
  }));
}

function flagsOf({ command }: ParsedLine): readonly CandidateWord[] {
  return optionsFor(command)
    .filter(({ hidden }) => !hidden)
    .map(({ long, short, description }) => ({
      word: long ?? short ?? "",
      description,
    }));
}

/** The values of an option or an argument, by its choices or its placeholder. */
async function valuesOf(
  of: Option | Argument,
  line: ParsedLine,
  current: string,
): Promise<Candidates> {
  const { argChoices } = of;
  if (argChoices !== undefined)
    return { isFile: false, words: argChoices.map((word) => ({ word })) };
  switch (placeholderOf(of)) {
    case "file":
    case "dir":
    case "directory":
    case "program":
      return FILES;
    case "key":
    case "key[=value]":
    case "service":
      return { isFile: false, words: await keysBelow(current, line) };
    case "name":
      return isContext(of, line) ? { isFile: false, words: contexts() } : NOTHING;
    default:
      return NOTHING;
  }
}

/** The word between `<` and `>`; of `--key`, which is a file, `file`. */
function placeholderOf(of: Option | Argument): string {
  if (!("flags" in of)) return of.name();
  const { flags } = of;
  const start = Math.max(flags.lastIndexOf("<"), flags.lastIndexOf("["));
  return start < 0 ? "" : flags.slice(start + 1, -1).replace("...", "");
}

function isContext(of: Option | Argument, { command }: ParsedLine): boolean {
  return "flags" in of ? /context$/.test(of.long ?? "") : command.parent?.name() === "context";
}

function contexts(): readonly CandidateWord[] {
  return Object.entries(readContexts(process.env).contexts).map(([word, { endpoints = "" }]) => ({
    word,
    description: endpoints,
  }));
}

function firstSentence(text: string): string {
  return text.replace(/\.(?: .*)?$/s, "");
}
