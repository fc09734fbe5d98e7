import { rmSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { describeEtcdSideBySide, describeWithEtcd } from "../support/etcd.js";
import { type AvailabilityRow, tableOf } from "./availability.js";
import { bundlePrograms, type Programs } from "./bundle.js";
import { runFaults } from "./run.js";
import { isLong, isWriting, out, plant, runSettings, seed, systems } from "./settings.js";
import { writeTable } from "./write-table.js";

let programs: Programs;
const rows: AvailabilityRow[] = [];
let hasPassed = true;

beforeAll(async () => {
  print(`runs under faults: --seed ${seed}, histories in ${out}`);
  // The proxies of a run are in this process, so a build must not hold it up.
  if (systems.includes("cutover")) buildIfStale();
  programs = await bundlePrograms(plant);
});

afterAll(() => {
  programs[Symbol.dispose]();
  print(tableOf(rows));
  if (isWriting) writeTable(tableOf(rows));
  if (hasPassed && process.env.FAULTS_OUT === undefined) rmSync(out, { recursive: true });
});

for (const system of systems) {
  const settings = runSettings(system);
  // A long run measures availability, so that it has the machine for itself.
  const describeSystem = isLong ? describeWithEtcd : describeEtcdSideBySide;
  describeSystem(settings.release, `${system} on etcd ${settings.release} under faults`, () => {
    it(`is correct with --seed ${seed}`, { timeout: 86_400_000 }, async () => {
      const { operations, availability, problems, notChecked } = await runFaults(
        settings,
        programs,
      );
      rows.push(...availability.map((each) => ({ system, ...each })));
      hasPassed &&= problems.length === 0;
      print(`${system}: ${operations} operations, ${problems.length} problems`);
      for (const each of notChecked) print(`not checked: ${each}`);
      expect(problems).toEqual([]);
      expect(operations).toBeGreaterThan(0);
    });
  });
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
