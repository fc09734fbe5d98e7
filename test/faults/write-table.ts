import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../scripts/project.mjs";

const PAGE = join(root, "docs/reliability.md");
const TABLE = /(<!-- table -->\n)[\s\S]*?(<!-- end of table -->)/;

/** Replaces the table in the docs. */
export function writeTable(table: string): void {
  const page = readFileSync(PAGE, "utf8");
  writeFileSync(
    PAGE,
    page.replace(TABLE, (_, begin, end) => `${begin}\n${table}\n\n${end}`),
  );
}
