import { type Candidates, candidatesFor } from "./candidates.js";
import { lineWords } from "./line-words.js";
import { parseLine } from "./parsed-line.js";
import type { ProgramFor } from "./program-for.js";

/** Milliseconds after which the process ends without an answer, whatever it waits for. */
const LIMIT_MS = 2_000;

/**
 * Prints what may stand at the cursor: `files` or `words`, then a candidate on each line, with its description
 * after a tab. `line` and the text before the cursor come from bash, which splits words at `=` and `:`; the
 * other shells give the words. Whatever fails, nothing is printed.
 */
export async function complete(args: readonly string[], programFor: ProgramFor): Promise<void> {
  setTimeout(() => process.exit(0), LIMIT_MS).unref();
  // A wrong option ends the process with a message, which must not appear at the prompt.
  process.stderr.write = () => true;
  try {
    const [shell, ...rest] = args;
    const isBash = shell === "bash";
    const [, ...words] = isBash ? lineWords(rest[0] ?? "") : ["", ...rest];
    const found = await candidatesAfter(words, programFor);
    // bash replaces only what follows the last = or :.
    const kept = isBash ? lengthKept(words.at(-1) ?? "", rest[1] ?? "") : 0;
    process.stdout.write(textOf(found, kept));
  } catch {
    // Nothing to offer.
  }
  process.exit(0);
}

/** What may stand in place of the last word. */
export async function candidatesAfter(
  words: readonly string[],
  programFor: ProgramFor,
): Promise<Candidates> {
  const before = words.slice(0, -1);
  const called = await calledCommand(before, programFor);
  return await candidatesFor(await programFor(called), before, words.at(-1) ?? "");
}

/** The command that the words name, found with the global options alone. */
async function calledCommand(
  words: readonly string[],
  programFor: ProgramFor,
): Promise<string | undefined> {
  const { command } = parseLine(await programFor(undefined), words);
  return command.parent === null ? undefined : command.name();
}

function lengthKept(current: string, replaced: string): number {
  const isSeparator = replaced === "=" || replaced === ":";
  return isSeparator ? current.length : Math.max(0, current.length - replaced.length);
}

function textOf({ isFile, words }: Candidates, kept: number): string {
  const lines = words
    .filter(({ word }) => !/\p{Cc}/u.test(word))
    .map(({ word, description = "" }) => `${word.slice(kept)}\t${oneLine(description)}`);
  return `${[isFile ? "files" : "words", ...lines].join("\n")}\n`;
}

function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ");
}
