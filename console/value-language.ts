import { LineCounter, parseDocument } from "yaml";

export type Language = "text" | "json" | "yaml";

/** A part of a value that its language does not allow. */
export interface Problem {
  readonly from: number;
  readonly to: number;
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

/** Longer values are not checked while they are edited. */
const MAX_CHECKED_CHARS = 500_000;

/** The language that a value seems to have. */
export function languageOf(key: string, value: string): Language {
  if (/\.ya?ml$/i.test(key)) return "yaml";
  if (/\.json$/i.test(key)) return "json";
  if (/^\s*[[{]/.test(value)) return "json";
  return /^(---\n|[\w.-]+:(\s|$))/.test(value) && value.includes("\n") ? "yaml" : "text";
}

export function problemsOf(value: string, language: Language): readonly Problem[] {
  if (language === "text" || value.length > MAX_CHECKED_CHARS || value.trim() === "") return [];
  return language === "json" ? jsonProblems(value) : yamlProblems(value);
}

function jsonProblems(value: string): readonly Problem[] {
  try {
    JSON.parse(value);
    return [];
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const [, position] = /at position (\d+)/.exec(message) ?? [];
    const from = Math.min(Number(position ?? value.length), value.length);
    const line = value.slice(0, from).split("\n").length;
    const short = message.replace(/ in JSON at position .*/, "").replace(/,? ?\.\.\..*/, "");
    return [{ from, to: Math.min(from + 1, value.length), line, message: short }];
  }
}

function yamlProblems(value: string): readonly Problem[] {
  const lineCounter = new LineCounter();
  const { errors } = parseDocument(value, { lineCounter, prettyErrors: false });
  return errors.map(({ pos: [from, to], message }) => {
    const { line } = lineCounter.linePos(from);
    return { from: Math.min(from, value.length), to: Math.min(to, value.length), line, message };
  });
}
