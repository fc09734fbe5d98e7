import { expect, it } from "vitest";
import type { NodeIndexes } from "../../cutover/kept-indexes.js";
import type { EtcdNode } from "../../model/node.js";
import type { EtcdResponse } from "../../model/response.js";
import { ShownIndexes } from "./shown-indexes.js";

const FIRST = 1_000;
const ORIGIN = { etcdServer: "", etcdClusterId: "c", etcdIndex: 1_010, raftIndex: 0, raftTerm: 0 };

function file(key: string, createdIndex: number, modifiedIndex = createdIndex): EtcdNode {
  return { key, value: "1", modifiedIndex, createdIndex };
}

function got(node: EtcdNode, prevNode?: EtcdNode): EtcdResponse {
  return { ...ORIGIN, action: "get", node, ...(prevNode && { prevNode }) };
}

/** Counts the requests. */
function rig(kept: Readonly<Record<string, NodeIndexes>>) {
  const asked: string[] = [];
  const indexes = new ShownIndexes({
    of: async (paths) => {
      asked.push(...paths);
      return new Map(paths.flatMap((path) => (kept[path] ? [[path, kept[path]]] : [])));
    },
    below: async (path) => {
      asked.push(`${path}/**`);
      return new Map(Object.entries(kept).filter(([each]) => each.startsWith(`${path}/`)));
    },
  });
  const show = (response: EtcdResponse) => indexes.show(response, FIRST, undefined);
  return { asked, indexes, show };
}

/** A copied directory of 2,000 files. */
function largeDirectory() {
  const paths = Array.from({ length: 2_000 }, (_, at) => `/d/${at}`);
  const kept = Object.fromEntries(
    paths.map((path, at) => [path, { modifiedIndex: at + 1, createdIndex: at + 1 }]),
  );
  const nodes = paths.map((path) => file(path, 900));
  const directory: EtcdNode = { key: "/d", dir: true, nodes, modifiedIndex: 3, createdIndex: 3 };
  return { ...rig(kept), paths, directory };
}

it("shows a copied node with its indexes of v2, and asks once", async () => {
  const { asked, show } = rig({ "/a": { modifiedIndex: 7, createdIndex: 5 } });
  const before = { ...ORIGIN, action: "get", node: { ...file("/a", 5, 7) } };
  expect(await show(got(file("/a", 900)))).toEqual(before);
  expect(await show(got(file("/a", 900)))).toEqual(before);
  expect((await show(got(file("/unknown", 900)))).node.createdIndex).toBe(900);
  await show(got(file("/unknown", 900)));
  expect(asked).toEqual(["/a", "/unknown"]);
});

it("shows a node that was changed since with its new modifiedIndex", async () => {
  const { show } = rig({ "/a": { modifiedIndex: 7, createdIndex: 5 } });
  const { node, prevNode } = await show(got(file("/a", 900, 1_005), file("/a", 900)));
  expect(node).toEqual(file("/a", 5, 1_005));
  expect(prevNode).toEqual(file("/a", 5, 7));
});

it("asks for nothing more when everything was loaded", async () => {
  const { asked, indexes, show } = rig({ "/a": { modifiedIndex: 7, createdIndex: 5 } });
  await indexes.loadAll(new AbortController().signal);
  expect((await show(got(file("/a", 900)))).node).toEqual(file("/a", 5, 7));
  await show(got(file("/unknown", 900)));
  expect(asked).toEqual(["/**"]);
});

it("does not touch nodes that were created since", async () => {
  const { asked, show } = rig({ "/a": { modifiedIndex: 7, createdIndex: 5 } });
  const response = got(file("/a", 1_000), file("/a", 1_000));
  expect(await show(response)).toBe(response);
  expect(asked).toEqual([]);
});

it("asks once for what many show at the same time", async () => {
  const { asked, show } = rig({ "/a": { modifiedIndex: 7, createdIndex: 5 } });
  const all = await Promise.all(Array.from({ length: 100 }, () => show(got(file("/a", 900)))));
  expect(all.every(({ node }) => node.modifiedIndex === 7)).toBe(true);
  expect(asked).toEqual(["/a"]);
});

it("does not read everything below a directory of which one level was listed", async () => {
  const { asked, show, paths, directory } = largeDirectory();
  expect((await show(got(directory))).node.nodes?.[1_999]?.modifiedIndex).toBe(2_000);
  expect(asked).toEqual(["/d", ...paths]);
});

it("reads everything below a large directory at once, and not the root itself", async () => {
  const { asked, show, directory } = largeDirectory();
  const root: EtcdNode = {
    ...{ key: "/", dir: true, nodes: [directory], modifiedIndex: 0, createdIndex: 0 },
  };
  const { node } = await show(got(root));
  expect(node.nodes?.[0]?.nodes?.[1_999]?.modifiedIndex).toBe(2_000);
  expect(node.modifiedIndex).toBe(0);
  expect(asked).toEqual(["/**", ""]);
  await show(got(root));
  expect(asked).toEqual(["/**", ""]);
});
