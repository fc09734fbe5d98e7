import { describe, expect, it, test } from "vitest";
import type { KeyRange } from "../../../etcd3/transaction.js";
import {
  authPrefix,
  isReachable,
  isReservedPrefix,
  KeySchema,
  prefixOfTree,
} from "./key-schema.js";

const PREFIXES = [
  "",
  "/",
  "/a",
  "/a/b",
  "/ab",
  "a",
  "e",
  "etcdnet",
  "etcdnet^",
  "\u{10ffff}",
  "=",
  "%2F",
  "/a=",
];

const isWithin = (key: string, { key: start, range_end }: KeyRange): boolean =>
  Buffer.compare(Buffer.from(key), Buffer.from(start)) >= 0 &&
  Buffer.compare(Buffer.from(key), Buffer.from(range_end)) < 0;

describe("the users and roles of a prefix", () => {
  it("are outside the range of every prefix", () => {
    for (const owner of PREFIXES) {
      const auth = authPrefix(owner);
      const keys = [auth, `${auth}/users/=root`, `${auth}\0etcdnet/d/users`];
      for (const prefix of PREFIXES) {
        const { everything } = new KeySchema(prefix);
        for (const key of keys) expect(isWithin(key, everything)).toBe(false);
      }
    }
  });

  it("are outside the range of those of every other prefix", () => {
    for (const owner of PREFIXES) {
      for (const other of PREFIXES.filter((prefix) => prefix !== owner)) {
        const { everything } = new KeySchema(authPrefix(other));
        expect(isWithin(`${authPrefix(owner)}/users/=root`, everything)).toBe(false);
      }
    }
  });

  test.each(["etcdnet_auth", "etcdnet_auth/%2Fapps=", "etcdnet_trees/", "etcdnet_"])(
    "are not reachable through a tree with the reserved prefix %s",
    (prefix) => {
      expect(isReservedPrefix(prefix)).toBe(true);
    },
  );
});

describe("a path", () => {
  test.each<[string, boolean]>([
    ["/a", true],
    ["/a/b.c/..d", true],
    ["/ü/\u{10ffff}", true],
    ["/d".repeat(62), true],
    ["/d".repeat(63), false],
    ["", false],
    ["a", false],
    ["/", false],
    ["/a/", false],
    ["//a", false],
    ["/a//b", false],
    ["/a/./b", false],
    ["/a/..", false],
    ["/\0", false],
    ["/a\0etcdnet/d/b", false],
    ["/a/b\0", false],
  ])("%j can be the path of a node: %s", (path, expected) => {
    expect(isReachable(path)).toBe(expected);
    const { kind } = new KeySchema("/p").decode(Buffer.from(`/p${path}`)) ?? {};
    expect(kind).toBe(expected ? "file" : undefined);
    const marker = new KeySchema("/p").decode(Buffer.from(`/p\0etcdnet/d${path}`));
    expect(marker?.kind).toBe(expected ? "marker" : undefined);
  });
});

describe("the trees above and below a tree", () => {
  const tree = (prefix: string): string => new KeySchema(prefix).tree ?? "";

  it("are those whose prefix is a directory above the other's", () => {
    for (const outer of PREFIXES) {
      for (const inner of PREFIXES) {
        const isNested = inner.startsWith(`${outer}/`);
        expect(new KeySchema(inner).outerTrees.includes(tree(outer))).toBe(isNested);
        expect(isWithin(tree(inner), new KeySchema(outer).innerTrees)).toBe(isNested);
      }
    }
  });

  it("are named by their prefixes", () => {
    for (const prefix of PREFIXES) expect(prefixOfTree(Buffer.from(tree(prefix)))).toBe(prefix);
  });
});
