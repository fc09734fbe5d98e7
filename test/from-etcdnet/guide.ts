/** docs/from-etcdnet.md as tests read it: each row and each point there has a check, and vice versa. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

export const guide = readFileSync(new URL("../../docs/from-etcdnet.md", import.meta.url), "utf8");

/** A row of a table: EtcdNet's name, ours, and the third column. */
export interface Row {
  readonly theirs: string;
  readonly ours: string;
  readonly third: string;
}

/** The rows of the table whose first row is about this name of EtcdNet's. */
export function tableFrom(first: string): readonly Row[] {
  const blocks = guide.split("\n\n").map((block) => block.trim().split("\n"));
  const [, , ...rows] = blocks.find(([, , row]) => row?.startsWith(`| \`${first}`)) ?? [];
  return rows.map((row) => {
    const [, theirs = "", ours = "", third = ""] = row.replaceAll("`", "").split("|");
    return { theirs: theirs.trim(), ours: ours.trim(), third: third.trim() };
  });
}

/** Tests each row of a table with the check for our name in it, given the row's number. */
export function testRows(
  first: string,
  checks: Readonly<Record<string, (index: number) => Promise<void> | void>>,
): void {
  const rows = tableFrom(first);
  test(`the table from ${first} on has a check for each row`, () => {
    expect(rows.map(({ ours }) => ours)).toEqual(Object.keys(checks));
  });
  rows.forEach(({ theirs, ours }, index) => {
    test(`${theirs} is ${ours}`, () => checks[ours]?.(index));
  });
}

/** Tests each point of a list, by the bold sentence that it begins with. */
export function testPoints(
  heading: string,
  checks: Readonly<Record<string, () => Promise<void> | void>>,
): void {
  const [, section = ""] = guide.split(`\n## ${heading}\n`);
  const [list = ""] = section.split("\n## ");
  const points = [...list.matchAll(/^- \*\*(.+?)\.\*\*/gms)].map(([, point = ""]) =>
    point.replaceAll(/[`\s]+/g, (gap) => (gap.includes("`") ? gap.replaceAll("`", "") : " ")),
  );
  test(`every point of "${heading}" has a check`, () => {
    expect(points).toEqual(Object.keys(checks));
  });
  for (const [point, check] of Object.entries(checks)) test(point, check);
}
