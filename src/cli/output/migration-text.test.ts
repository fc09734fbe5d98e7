import { describe, expect, it } from "vitest";
import type { MigrationProgress } from "../../transfer/migrate/migration-progress.js";
import { MigrationText } from "./migration-text.js";

const BEGIN: MigrationProgress = {
  ...{ phase: "checking", share: 0, compared: 0, total: 0, written: 0, changing: 0, lost: 0 },
  ...{ waiting: 0, index: 7, elapsed: 0 },
};

describe("the line of a migration", () => {
  it("contains the progress of the phase and the remaining time", () => {
    const text = new MigrationText();
    expect(text.of({ ...BEGIN, compared: 100, elapsed: 60_000 })).toBe(
      "checking the source · 100 keys",
    );
    const copying = { ...BEGIN, phase: "copying", total: 1000 } as const;
    text.of({ ...copying, elapsed: 60_000 });
    const line = text.of({ ...copying, share: 0.1, compared: 100, elapsed: 65_000 });
    expect(line).toBe("copying 10% · 100 / 1,000 keys · 20 keys/s · 45s left · lag 0 changes");
  });

  it("contains no negative rate when another phase or comparison begins", () => {
    const text = new MigrationText();
    const states = [
      { phase: "copying", compared: 5000, written: 5000, elapsed: 1000 },
      { phase: "copying", compared: 10, written: 5000, elapsed: 2000 },
      { phase: "verifying", compared: 5, written: 5000, elapsed: 3000 },
      { phase: "following", compared: 5000, written: 5000, elapsed: 4000 },
    ] as const;
    for (const state of states) expect(text.of({ ...BEGIN, ...state })).not.toMatch(/-\d/);
  });
});
