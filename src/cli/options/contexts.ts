import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { replaceFile } from "../../files/replace-file.js";

/** Options that a context can have, by their names on the command line. */
export const CONTEXT_FIELDS = [
  "endpoints",
  "discovery-srv",
  "api",
  "key-prefix",
  "prefix",
  "username",
  "password-file",
  "cacert",
  "cert",
  "key",
] as const;

type ContextField = (typeof CONTEXT_FIELDS)[number];

/** The options for one cluster. It has no password, only the name of a file with one. */
export type Context = Readonly<Partial<Record<ContextField, string>>>;

/** The named contexts of a user. */
export interface Contexts {
  /** The context for commands that name none. */
  readonly current?: string | undefined;
  readonly contexts: Readonly<Record<string, Context>>;
}

const NO_CONTEXTS: Contexts = { contexts: {} };

/** The file with the contexts, as the XDG specification says; undefined without a home directory. */
export function contextsFile(env: NodeJS.ProcessEnv): string | undefined {
  const { XDG_CONFIG_HOME: config = "", APPDATA: windows = "", HOME: home = "" } = env;
  const folder = config || windows || (home && join(home, ".config"));
  return folder === "" ? undefined : join(folder, "etcdnet", "contexts.json");
}

/** The contexts of the user; none if there is no file. @throws Error naming the file and the line */
export function readContexts(env: NodeJS.ProcessEnv): Contexts {
  const file = contextsFile(env);
  const text = file === undefined ? undefined : textOf(file);
  return file === undefined || text === undefined ? NO_CONTEXTS : parsed(text, file);
}

/** Replaces the file atomically. Only the user can read it. */
export async function writeContexts(contexts: Contexts, env: NodeJS.ProcessEnv): Promise<void> {
  const file = contextsFile(env);
  if (file === undefined) throw new Error("XDG_CONFIG_HOME, HOME: set one, to keep contexts there");
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  await replaceFile(file, pieceOf(`${JSON.stringify(contexts, undefined, 2)}\n`));
}

async function* pieceOf(text: string): AsyncGenerator<string, void, undefined> {
  yield text;
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** Checks everything, because a person may have changed the file. Messages never contain values. */
function parsed(text: string, file: string): Contexts {
  const refuse = (line: number, problem: string): never => {
    throw new Error(`${file}, line ${line}: ${problem}; mend or remove the file`);
  };
  /** Line of the last of these names, each after the one before. */
  const lineOf = (...names: readonly string[]): number => {
    let at = 0;
    for (const name of names) at = Math.max(at, text.indexOf(JSON.stringify(name), at));
    return lineAt(text, at);
  };
  const value = json(text, (position) => refuse(lineAt(text, position), "is not JSON"));
  if (!isRecord(value) || !isRecord(value.contexts)) return refuse(1, "has no contexts");
  const { current, contexts } = value;
  for (const [name, context] of Object.entries(contexts)) {
    if (!isRecord(context)) return refuse(lineOf("contexts", name), `${name} is no context`);
    for (const [field, content] of Object.entries(context)) {
      const problem = problemOf(field, content);
      if (problem !== undefined) return refuse(lineOf("contexts", name, field), problem);
    }
  }
  const isKnown = typeof current === "string" && Object.hasOwn(contexts, current);
  if (current !== undefined && !isKnown) {
    return refuse(lineOf("current"), "the current context does not exist");
  }
  return value as unknown as Contexts;
}

/** What is wrong with a field of a context. */
function problemOf(field: string, content: unknown): string | undefined {
  if (!CONTEXT_FIELDS.some((known) => known === field)) return `${field} is not known`;
  if (typeof content !== "string" || content === "") return `${field} is not a text`;
  if (field === "api" && content !== "v2" && content !== "v3") return "api is not v2 or v3";
  return secretProblem(field, content);
}

/** A password must not be in the file. */
export function secretProblem(field: string, content: string): string | undefined {
  if (field === "username" && content.includes(":")) {
    return "username contains a password; use password-file";
  }
  if (field === "endpoints" && content.includes("@")) {
    return "endpoints contains credentials; use username and password-file";
  }
  return undefined;
}

function json(text: string, refuse: (position: number) => never): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const end = text.trimEnd().length;
    const [, position = end] = /position (\d+)/.exec((error as Error).message) ?? [];
    return refuse(Math.min(Number(position), end));
  }
}

function lineAt(text: string, position: number): number {
  return text.slice(0, position).split("\n").length;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
