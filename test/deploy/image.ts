/** Executes the instructions of a Dockerfile in folders, without Docker: `node` is the one of this machine. */

import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { root } from "../../scripts/project.mjs";
import { print } from "./tools.js";

interface Instruction {
  readonly keyword: string;
  readonly text: string;
}

/** What a stage contains and how it runs. */
export class Stage {
  readonly #folder: string;
  #workdir = "/";
  readonly env: Record<string, string> = {};
  /** `uid:gid` */
  user = "0:0";
  entrypoint: readonly string[] = [];
  cmd: readonly string[] = [];
  healthcheck: readonly string[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** A path of the image as a path of this machine. */
  at(path: string): string {
    return join(this.#folder, isAbsolute(path) ? path : join(this.#workdir, path));
  }

  /** The words of a command with the paths of this machine. */
  command(words: readonly string[]): readonly [string, ...string[]] {
    const [program = "", ...args] = words.map((word) => (isAbsolute(word) ? this.at(word) : word));
    return [program === "node" ? process.execPath : program, ...args];
  }

  enter(path: string): void {
    this.#workdir = path;
    mkdirSync(this.at("."), { recursive: true });
  }
}

/** @param skipped executes the RUN instructions of these stages itself */
export async function buildImage(
  dockerfile: string,
  folder: string,
  skipped: Readonly<Record<string, (stage: Stage) => void>>,
): Promise<Stage> {
  const stages = new Map<string, Stage>();
  let stage = new Stage(folder);
  for (const instruction of instructionsIn(readFileSync(dockerfile, "utf8"))) {
    if (instruction.keyword === "FROM") {
      const name = / AS (\w+)$/.exec(instruction.text)?.[1] ?? "last";
      stage = new Stage(join(folder, name));
      stages.set(name, stage);
      skipped[name]?.(stage);
    } else {
      const isSkipped = [...stages].some(([name, each]) => each === stage && name in skipped);
      if (!isSkipped) await execute(instruction, stage, stages);
    }
  }
  return stage;
}

/** Joins continued lines, and omits comments. */
function instructionsIn(dockerfile: string): readonly Instruction[] {
  const lines = dockerfile
    .replaceAll(/^#.*\n/gm, "")
    .replaceAll(/\\\n/g, " ")
    .split("\n");
  return lines.flatMap((line) => {
    const [, keyword, text] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    return keyword === undefined || text === undefined ? [] : [{ keyword, text: text.trim() }];
  });
}

async function execute(
  { keyword, text }: Instruction,
  stage: Stage,
  stages: ReadonlyMap<string, Stage>,
): Promise<void> {
  if (keyword === "WORKDIR") stage.enter(text);
  else if (keyword === "COPY") copy(text.split(/\s+/), stage, stages);
  else if (keyword === "RUN") await print("env", "-C", stage.at("."), ...wordsOf(text));
  else if (keyword === "USER") stage.user = text;
  else if (keyword === "ENTRYPOINT") stage.entrypoint = wordsOf(text);
  else if (keyword === "CMD") stage.cmd = wordsOf(text);
  else if (keyword === "HEALTHCHECK") stage.healthcheck = wordsOf(text.replace(/^.* CMD /, ""));
  else if (keyword === "ENV") {
    for (const [, name = "", value = ""] of text.matchAll(/(\w+)=(\S+)/g)) stage.env[name] = value;
  } else if (keyword !== "ARG" && keyword !== "EXPOSE") throw new Error(`unknown: ${keyword}`);
}

/** @throws Error for the shell form, in which a shell would be PID 1 */
function wordsOf(text: string): readonly string[] {
  return JSON.parse(text);
}

function copy(words: readonly string[], stage: Stage, stages: ReadonlyMap<string, Stage>): void {
  const from = words.find((word) => word.startsWith("--from="))?.slice("--from=".length);
  const paths = words.filter((word) => !word.startsWith("--"));
  const target = paths.at(-1) ?? ".";
  for (const path of paths.slice(0, -1)) {
    const sources = from === undefined ? contextFiles(path) : [path];
    for (const source of sources) {
      const origin = from === undefined ? join(root, source) : stages.get(from)?.at(source);
      const into = /(^\.|\/)$/.test(target) ? join(target, source) : target;
      if (origin !== undefined) cpSync(origin, stage.at(into), { recursive: true });
    }
  }
}

/** The files of the build context, all of them for ".". They are those that .dockerignore lists with "!". */
function contextFiles(path: string): readonly string[] {
  const ignore = readFileSync(join(root, ".dockerignore"), "utf8");
  const kept = [...ignore.matchAll(/^!(.+)$/gm)].map(([, name = ""]) => name);
  if (path === ".") return kept;
  if (!kept.includes(path)) throw new Error(`${path} is not in the build context`);
  return [path];
}
