import { readFileSync } from "node:fs";
import type { Operation } from "./workload.js";

/** The operations in these files, ordered by `completedAt`. */
export function readHistory(files: readonly string[]): readonly Operation[] {
  return files
    .flatMap((file) => readFileSync(file, "utf8").split("\n"))
    .filter((line) => line !== "")
    .map((line): Operation => JSON.parse(line))
    .sort((a, b) => a.completedAt - b.completedAt);
}
