import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect } from "vitest";
import { itWith } from "../../foreign/missing.js";
import { historyOf, type Step } from "../checks/history-of.js";
import { buildLinearizability, checkLinearizability } from "./linearizability.js";

const directory = mkdtempSync(join(tmpdir(), "linearizability-"));
afterAll(() => rmSync(directory, { recursive: true }));

/** A step of a register whose values are letters. Writes have no index: they are not checked here. */
function step(text: string): Step {
  const [kind = "", value, to] = text.replace("?", "").split(" ");
  const outcome = text.endsWith("?") ? "unknown" : "ok";
  const step = { kind, workload: "register", outcome, output: 1 } as const;
  if (kind === "read") return { ...step, output: value === "-" ? null : { value, index: 1 } };
  if (kind === "cas") return { ...step, input: { from: value, to } };
  return { ...step, input: value };
}

/** Operations one after another. `-` is a key that does not exist, and `?` an unknown outcome. */
const linearizable = {
  reads: ["read -", "write a", "read a", "write b", "read b"],
  "an unknown write that shows later": ["write a", "write b?", "read a", "read b"],
  "an unknown write that never shows": ["write a", "write b?", "read a", "write c", "read c"],
  "an unknown swap": ["write a", "cas a b?", "read a", "cas a c", "read c"],
  "a delete": ["write a", "delete", "read -"],
};
const notLinearizable = {
  "a stale read": ["write a", "write b", "read a"],
  "a lost write": ["write a", "read -"],
  "an unknown write that shows twice": [
    "write a",
    "write b?",
    "read b",
    "write c",
    "read c",
    "read b",
  ],
  "a swap of another value": ["write a", "cas b c", "read c"],
  "an unknown delete that happens twice": ["write a", "delete?", "read -", "write b", "read -"],
};

itWith(buildLinearizability(), "tells histories that are linearizable from others", async () => {
  const rows = Object.entries({ ...linearizable, ...notLinearizable });
  const steps = rows.flatMap(([key, texts]) => texts.map((text) => ({ ...step(text), key })));
  const { violations, notChecked } = await checkLinearizability(historyOf(steps), directory);
  expect(notChecked).toEqual([]);
  const found = violations.map(({ operations }) => operations[0]?.key);
  expect(new Set(found)).toEqual(new Set(Object.keys(notLinearizable)));
  expect(readdirSync(directory)).toHaveLength(found.length);
});
