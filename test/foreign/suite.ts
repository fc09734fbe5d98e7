import { beforeAll, expect, it } from "vitest";
import type { Outcome } from "./run.js";

/** Tests in another language, which run in one go. */
export interface ForeignSuite {
  readonly names: readonly string[];
  run(): Promise<Outcome>;
  /** Names of those that `run` leaves out. @default none */
  leftOut?(): readonly string[];
  /** What the output has for a test that passed. */
  passed(name: string): RegExp;
}

/** One test here for each of theirs. */
export function itPasses({ names, run, leftOut = () => [], passed }: ForeignSuite): void {
  let outcome: Outcome | undefined;
  beforeAll(async () => {
    outcome = await run();
  });
  it.each(names)("%s", (name) => {
    const output = `${outcome?.stdout}${outcome?.stderr}`;
    if (!passed(name).test(output)) expect.fail(output);
  });
  it("fails in nothing else", () => {
    const output = `${outcome?.stdout}${outcome?.stderr}`;
    const expected = names.filter((name) => !leftOut().includes(name));
    const failed = expected.filter((name) => !passed(name).test(output));
    expect(failed.length > 0).toBe(outcome?.code !== 0);
  });
}
