import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { installed, type Missing, must } from "../../foreign/install.js";
import { isMissing } from "../../foreign/missing.js";
import { start } from "../../foreign/run.js";
import { violation } from "../checks/history.js";
import { type RegisterHistory, type RegisterOperation, registersOf } from "../checks/register.js";
import type { Operation, Violation } from "../workload.js";

/** Whether the registers of a history are linearizable. */
export interface Linearizability {
  readonly violations: readonly Violation[];
  /** What was not checked, and why: a line each. */
  readonly notChecked: readonly string[];
}

/** A line of the program. */
interface Verdict {
  readonly key: string;
  readonly operations: number;
  readonly verdict: "Ok" | "Illegal" | "Unknown";
  readonly picture?: string;
}

/**
 * Checks the registers of a complete history with porcupine, in less than a minute. Writes a picture of each
 * register that is not linearizable into the directory.
 */
export async function checkLinearizability(
  history: readonly Operation[],
  directory: string,
): Promise<Linearizability> {
  const program = buildLinearizability();
  if (isMissing(program))
    return { violations: [], notChecked: [`linearizability: ${program.missing}`] };
  const registers = registersOf(
    history.filter(({ workload }) => workload === "register") as RegisterHistory,
  );
  const input = [...registers.values()].flat().filter(({ kind }) => kind !== "readLocal");
  const { code, stdout, stderr } = await start(program, [directory], { input: linesOf(input) })
    .ended;
  if (code !== 0) throw new Error(`porcupine ended with ${code}: ${stderr}`);
  const verdicts = stdout
    .split("\n")
    .filter(Boolean)
    .map((line): Verdict => JSON.parse(line));
  const violations = verdicts
    .filter(({ verdict }) => verdict === "Illegal")
    .map((verdict) => violationOf(verdict, registers.get(verdict.key) ?? []));
  const undecided = verdicts.filter(({ verdict }) => verdict === "Unknown");
  const notChecked = undecided.map(({ key }) => `linearizability of ${key}: it takes too long`);
  return { violations, notChecked };
}

function violationOf(
  { key, picture }: Verdict,
  [first, ...others]: readonly RegisterOperation[],
): Violation {
  if (first === undefined) throw new Error(`porcupine invented ${key}`);
  return violation(`${key} is not linearizable: see ${picture}`, first, ...others);
}

function linesOf(operations: readonly RegisterOperation[]): string {
  return operations.map((operation) => `${JSON.stringify(operation)}\n`).join("");
}

/** The path of the program. It is built again when one of its sources changes. */
export function buildLinearizability(): string | Missing {
  const module = import.meta.dirname;
  const sources = readdirSync(module).filter((name) => /\.go$|^go\./.test(name));
  const hash = createHash("sha256");
  for (const name of sources) hash.update(readFileSync(join(module, name)));
  const directory = installed(`linearizability-${hash.digest("hex").slice(0, 12)}`, (work) => {
    const env = { CGO_ENABLED: "0", GOWORK: "off", GOFLAGS: "-mod=readonly" };
    must("go", ["build", "-o", join(work, "linearizability"), "."], { cwd: module, env });
  });
  return typeof directory === "string" ? join(directory, "linearizability") : directory;
}
