import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { root } from "../scripts/project.mjs";
import { releaseProblems } from "../scripts/release-version.mjs";

const read = (file: string): string => readFileSync(join(root, file), "utf8");

it("the changelog begins with what is not released", () => {
  const headings = read("CHANGELOG.md").match(/^## .*$/gm) ?? [];
  expect(headings[0]).toBe("## [Unreleased]");
  for (const heading of headings.slice(1)) {
    expect(heading).toMatch(/^## \[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d$/);
  }
});

it("a release needs a tag and a dated section for the version of package.json", () => {
  const dated = "# Changes\n\n## [1.2.0] - 2030-01-31\n";
  expect(releaseProblems("v1.2.0", "1.2.0", dated)).toEqual([]);
  expect(releaseProblems("v1.2.1", "1.2.0", dated)).toEqual(["the tag v1.2.1 is not v1.2.0"]);
  expect(releaseProblems("v1.2.0", "1.2.0", "## [Unreleased]\n## [1.2.0] - soon\n")).toEqual([
    'CHANGELOG.md has no line "## [1.2.0] - YYYY-MM-DD"',
  ]);
});

it("only the job that publishes can sign, and publishes with provenance", () => {
  const { permissions, jobs } = parse(read(".github/workflows/release.yml"));
  expect(permissions).toEqual({ contents: "read" });
  expect(jobs.check.permissions).toBeUndefined();
  expect(jobs.publish).toMatchObject({ needs: "check", permissions: { "id-token": "write" } });
  const commands = jobs.publish.steps.flatMap(({ run = [] }) => run);
  expect(commands.at(-2)).toContain("scripts/release-version.mjs");
  expect(commands.at(-1)).toContain("npm publish --provenance");
});
