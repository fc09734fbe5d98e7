import { expect, test } from "vitest";
import { diagnoseDirectory } from "./diagnose.js";
import type { DirectoryFacts } from "./directory-facts.js";
import { type Finding, isClear } from "./finding.js";
import { V2Census } from "./v2-census.js";

const MEMBERS = [
  { id: "a1", isLearner: false },
  { id: "b2", isLearner: false },
];

const FACTS: DirectoryFacts = {
  start: {
    dataDir: "/d",
    walDir: undefined,
    name: "m1",
    clientURLs: ["http://c:1"],
    peerURLs: ["http://p:1"],
  },
  clusterVersion: "3.5.0",
  members: MEMBERS,
  snapshot: { index: 100, tops: { count: 0, examples: [] }, auth: 0 },
  requests: { keys: 0, other: 0, membership: 3 },
  v2: new V2Census().result(),
  v2Auth: { isEnabled: false, users: [], roles: [] },
  v3: { value: { clusterVersion: "3.5.0", consistentIndex: 120, members: MEMBERS, alarms: [] } },
  warnings: [],
};

function findings(change: Partial<DirectoryFacts>, to = "3.6"): readonly Finding[] {
  return diagnoseDirectory({ ...FACTS, ...change }, to).findings.filter(({ id }) => id !== "flags");
}

const v3 = (change: object): Partial<DirectoryFacts> => ({
  v3: {
    value: {
      clusterVersion: "3.5.0",
      consistentIndex: 120,
      members: MEMBERS,
      alarms: [],
      ...change,
    },
  },
});

test("a directory without v2 data is clear for etcd 3.6, but not for 3.7 with old requests", () => {
  expect(findings({})).toEqual([]);
  expect(isClear(diagnoseDirectory(FACTS, "3.6"))).toBe(true);
  const next = { ...FACTS, clusterVersion: "3.6.0" };
  expect(findings(next, "3.7").map(({ id }) => id)).toEqual(["v2-in-log"]);
});

test.each<[string, Partial<DirectoryFacts>]>([
  ["members-differ", v3({ members: [...MEMBERS, { id: "c3", isLearner: false }] })],
  [
    "members-differ",
    v3({
      members: [
        { id: "a1", isLearner: true },
        { id: "b2", isLearner: false },
      ],
    }),
  ],
  ["v3-store-behind", v3({ consistentIndex: 99 })],
  ["alarm-corrupt", v3({ alarms: ["CORRUPT"] })],
  ["v3-store-unreadable", { v3: { unchecked: "no file" } }],
  ["version-unknown", { clusterVersion: undefined }],
  ["v2-in-log", { requests: { keys: 0, other: 1, membership: 0 } }],
  ["v2-in-snapshot", { snapshot: { index: 1, tops: { count: 0, examples: [] }, auth: 1 } }],
])("%s blocks", (id, change) => {
  const [found, ...others] = findings(change);
  expect(found).toMatchObject({ id, severity: "blocks" });
  expect(others).toEqual([]);
});

test("the order of the members does not matter, and an old index that was never saved neither", () => {
  expect(findings(v3({ members: [...MEMBERS].reverse() }))).toEqual([]);
  expect(findings(v3({ consistentIndex: 0 }))).toEqual([]);
});

test("more than twenty keys are removed by a loop", () => {
  const census = new V2Census();
  for (let at = 0; at < 21; at++)
    census.add({ key: `/k${at}`, value: "", hasTtl: false, isText: true });
  const [keys] = findings({ v2: census.result() });
  expect(keys?.mend.filter((line) => line.includes(" rm -r"))).toEqual([
    expect.stringContaining("while IFS= read -r key"),
  ]);
});

test("more hidden keys than a command can name come from the files of the member", () => {
  const census = new V2Census();
  for (let at = 0; at < 21; at++) {
    census.add({ key: `/a/_${at}`, value: "", hasTtl: false, isText: true });
  }
  census.add({ key: "/_b", hasTtl: false, isText: true });
  census.add({ key: "/a", hasTtl: false, isText: true });
  const [keys] = findings({ v2: census.result() });
  const commands = keys?.mend.filter((line) => !line.startsWith("#")) ?? [];
  expect(commands[0]).toBe("etcdnet export --data-dir /d --file v2-keys.jsonl");
  expect(commands[2]).toBe("etcdnet --endpoints http://c:1 --api v3 import v2-keys.jsonl");
  expect(commands.slice(3)).toEqual([
    "etcdnet --endpoints http://c:1 rm -r /a",
    "etcdnet --endpoints http://c:1 rm -r /_b",
  ]);
});

test("what the reader of the files noticed is a warning", () => {
  expect(findings({ warnings: ["torn"] })).toMatchObject([
    { id: "files", severity: "warning", found: ["torn"] },
  ]);
});
