import { afterEach, expect, it, vi } from "vitest";
import { printResponse } from "./cli/output/print-response.js";
import { printLines } from "./cli/process/print.js";
import type { KeyRequest } from "./model/key-request.js";
import type { EtcdNode } from "./model/node.js";
import type { EtcdResponse } from "./model/response.js";
import { systemClock } from "./time/clock.js";
import { compareTrees } from "./transfer/compare/compare-trees.js";
import { walkDirectories } from "./transfer/source/walk-tree.js";

/** More than a function takes as arguments. */
const COUNT = 150_000;
const ORIGIN = { etcdServer: "", etcdClusterId: "", etcdIndex: 4, raftIndex: 4, raftTerm: 1 };
const INDEXES = { modifiedIndex: 4, createdIndex: 4 };

const subdirectories: readonly EtcdNode[] = Array.from({ length: COUNT }, (_, at) => ({
  key: `/${at}`,
  dir: true,
  ...INDEXES,
}));
const wide: EtcdResponse = {
  action: "get",
  node: { key: "/", dir: true, nodes: subdirectories, ...INDEXES },
  ...ORIGIN,
};

const source = {
  execute: async ({ key }: KeyRequest): Promise<EtcdResponse> =>
    key === "/" ? wide : { action: "get", node: { key, dir: true, ...INDEXES }, ...ORIGIN },
};

afterEach(() => void vi.restoreAllMocks());

it("the lines of a wide tree are printed", () => {
  let lines = 0;
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    lines += String(text).split("\n").length - 1;
    return true;
  });
  printLines(subdirectories.map(({ key }) => key));
  printResponse(wide, "jsonl");
  printResponse(wide, "table");
  expect(lines).toBe(3 * COUNT + 3);
});

it("a wide tree is walked and compared", async () => {
  let directories = 0;
  for await (const { node } of walkDirectories(source, "/")) {
    if (node.key === "/1") break;
    directories++;
  }
  expect(directories).toBe(2);
  let compared = 0;
  for await (const comparison of compareTrees(source, source, ["/"], { clock: systemClock })) {
    if (compared === COUNT) break;
    compared += comparison.compared;
  }
  expect(compared).toBe(COUNT);
});
