import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../scripts/project.mjs";

const PAGE = join(root, "docs/reliability.md");

/** Replaces the table in the docs that stands between `<!-- NAME -->` and `<!-- end of NAME -->`. */
export function writeTable(table: string, name: "table" | "league" = "table"): void {
  const [begin, end] = [`<!-- ${name} -->\n`, `<!-- end of ${name} -->`];
  const page = readFileSync(PAGE, "utf8");
  const [from, to] = [page.indexOf(begin) + begin.length, page.indexOf(end)];
  writeFileSync(PAGE, `${page.slice(0, from)}\n${table}\n\n${page.slice(to)}`);
}
