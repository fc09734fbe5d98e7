import { type Diagnosis, type Finding, isClear } from "../../doctor/finding.js";
import { oneLine } from "./one-line.js";

/** A diagnosis as text: the findings, and the verdict in the last line. */
export function diagnosisLines(diagnosis: Diagnosis): readonly string[] {
  return [...diagnosis.findings.flatMap(linesOf), verdictOf(diagnosis)];
}

function linesOf({ severity, id, problem, found, mend }: Finding): readonly string[] {
  return [
    `${severity}: ${id}: ${oneLine(problem)}`,
    ...found.map((text) => `  found: ${oneLine(text)}`),
    ...(mend.length === 0 ? [] : ["  mend:"]),
    ...mend.map((line) => `    ${line}`),
    "",
  ];
}

function verdictOf(diagnosis: Diagnosis): string {
  const { from, to, findings } = diagnosis;
  const step = `etcd ${from ?? "?"} to ${to ?? "?"}`;
  if (isClear(diagnosis)) return `clear: nothing was found that blocks the upgrade from ${step}`;
  const count = findings.filter(({ severity }) => severity === "blocks").length;
  const what = count === 1 ? "1 finding blocks" : `${count} findings block`;
  return `not clear: ${what} the upgrade from ${step}`;
}
