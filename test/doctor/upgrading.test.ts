/** The guide docs/upgrading.md: its commands, what it quotes, and its list of findings. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { buildIfStale, root } from "../../scripts/project.mjs";
import { etcdnet } from "../cli/etcdnet.js";
import { describeWithEtcd } from "../support/etcd.js";
import { putKey, startMembers, tryStart } from "./old-member.js";
import { runLines } from "./run-mend.js";

const GUIDE = readFileSync(join(root, "docs/upgrading.md"), "utf8");
const SECTION = GUIDE.slice(GUIDE.indexOf("## A cluster that 3.6 refuses"));
const DIRECTORY = "/var/lib/etcd";
const ENDPOINT = "http://127.0.0.1:2379";

beforeAll(buildIfStale);

test("the guide lists every finding", () => {
  const folder = join(root, "src/doctor");
  const source = readdirSync(folder)
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .map((name) => readFileSync(join(folder, name), "utf8"))
    .join("\n");
  const literals = [...source.matchAll(/"([a-z0-9]+(?:-[a-z0-9]+)*)"/g)].map(([, text]) => text);
  const table = GUIDE.slice(GUIDE.indexOf("## Findings"));
  const listed = [...table.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, ids = ""]) =>
    [...ids.matchAll(/`([^`]+)`/g)].map(([, id = ""]) => id),
  );
  const made = new Set([...literals, "alarm-corrupt"]);
  expect(listed.filter((id) => !made.has(id))).toEqual([]);
  const severities = ["blocks", "warning", "note"];
  const calls = [
    ...source.matchAll(
      /(?:finding|unchecked|notChecked)\(\s*(?:\w+,\s*|"\w+",\s*)?"([a-z0-9-]+)",/g,
    ),
  ].flatMap(([, id = ""]) => (severities.includes(id) ? [] : [id]));
  expect(calls.length).toBeGreaterThan(25);
  expect(calls.filter((id) => !listed.includes(id))).toEqual([]);
});

describeWithEtcd("3.5", "the guide for a cluster that etcd 3.6 refuses", () => {
  test("its commands mend a member", async () => {
    await using members = await startMembers("3.5", { v2: true });
    const [member] = members;
    await putKey(member, "/config/port", "8080");
    await member.stop();
    expect(await tryStart("3.6", member.dataDir)).toContain("detected disallowed v2 WAL for stage");

    const [check = "", mend = "", checkAgain = ""] = [
      ...SECTION.matchAll(/^```sh\n(.*?)^```/gms),
    ].map(([, text = ""]) =>
      text.replaceAll(DIRECTORY, member.dataDir).replaceAll(ENDPOINT, member.url),
    );
    const refused = await etcdnet(wordsOf(check));
    expect(refused.code).toBe(1);
    for (const line of printedLines()) expect(refused.stdout).toContain(`\n${line}\n`);

    // Two members on one machine need different ports. The guide leaves out the port for peers.
    const lines = mend.trim().split("\n");
    await runLines(
      "3.5",
      lines.map((line) =>
        line.startsWith("etcd ") ? `${line} --listen-peer-urls ${member.peerUrl}` : line,
      ),
    );
    const clear = await etcdnet(wordsOf(checkAgain));
    expect(clear.stdout).toMatch(/^clear: /m);
    expect(clear.code).toBe(0);
    expect(await tryStart("3.6", member.dataDir)).toBe(true);
  });
});

function wordsOf(line: string): readonly string[] {
  return line.trim().split(" ").slice(1);
}

/** The lines of the output in the guide that do not depend on the machine. */
function printedLines(): readonly string[] {
  const [, output = ""] = /^\*\*What it prints\*\*.*?^```\n(.*?)^```/ms.exec(SECTION) ?? [];
  const lines = output.split("\n").filter((line) => /^(blocks:| {2}found:|not clear:)/.test(line));
  expect(lines.length).toBeGreaterThan(5);
  return lines.slice(1);
}
