import { expect } from "vitest";
import type { AnyNode } from "../../src/model/node.js";
import type { Cases } from "./arrangement.js";
import { eventOf } from "./events.js";
import { keyNotFound, testFailed } from "./refusals.js";

/** Names and values that a client, proxy or server might misinterpret. */
const UNUSUAL_TEXTS = [
  " ",
  "a b",
  "a+b",
  "%",
  "%2F",
  "%zz",
  "100%",
  "a?b=c&d=e",
  "#fragment",
  "a;b",
  "a:b@c,d|e",
  "'single' \"double\" `back`",
  "back\\slash",
  "<b>&amp;<i>",
  "!*()[]{}^~$",
  "\n",
  "line\nbreak\r\n",
  "tab\there",
  "\u0001\b\f\u001f\u007f",
  "..a",
  "a..",
  ".a",
  "...",
  "é",
  "e\u0301",
  "€",
  "日本語",
  "😀",
  "👩‍👩‍👧",
  "\ufeffbom",
  "\ufffd",
  "\u2028\u2029",
  "\u{10ffff}",
  "__proto__",
  "constructor",
  "null",
  "00012",
];

const byCreation = (a: AnyNode, b: AnyNode): number => a.createdIndex - b.createdIndex;

export const text: Cases = {
  "any name is returned unchanged": async ({ keySpace, dir }) => {
    const nodes = await Promise.all(
      UNUSUAL_TEXTS.map(async (name) => {
        const key = `${dir}/${name}/${name}`;
        const { node } = await keySpace.execute({ action: "set", key, value: name });
        expect(node).toMatchObject({ key, value: name });
        expect((await keySpace.execute({ action: "get", key })).node).toEqual(node);
        return node;
      }),
    );
    const { node } = await keySpace.execute({ action: "get", key: dir, recursive: true });
    const listed = node.nodes?.flatMap(({ nodes = [] }) => nodes) ?? [];
    const visible = nodes.filter(({ key }) => !key.startsWith(`${dir}/_`));
    expect([...listed].sort(byCreation)).toEqual(visible.sort(byCreation));
  },

  "a name can contain a NUL character": async ({ keySpace, dir }) => {
    const key = `${dir}/\0/a\0b`;
    const { node } = await keySpace.execute({ action: "set", key, value: "1" });
    expect(node).toMatchObject({ key, value: "1" });
    expect((await keySpace.execute({ action: "get", key })).node).toEqual(node);
    const listed = await keySpace.execute({ action: "get", key: dir, recursive: true });
    expect(listed.node.nodes?.[0]?.nodes).toEqual([node]);
  },

  "any text can be the value and the prevValue of a compare-and-swap": async ({
    keySpace,
    dir,
  }) => {
    const key = `${dir}/a`;
    await keySpace.execute({ action: "set", key, value: "first" });
    let prevValue = "first";
    for (const value of [...UNUSUAL_TEXTS, "\0"]) {
      const response = await keySpace.execute({ action: "compareAndSwap", key, prevValue, value });
      expect(response.node.value).toBe(value);
      expect(response.prevNode?.value).toBe(prevValue);
      prevValue = value;
    }
  },

  "an error contains unusual text unchanged": async ({ keySpace, dir }) => {
    await keySpace.execute({ action: "set", key: dir, dir: true });
    for (const name of UNUSUAL_TEXTS) {
      const key = `${dir}/${name}`;
      const read = keySpace.execute({ action: "get", key });
      await expect(read).rejects.toMatchObject({ ...keyNotFound(key), key });
      await keySpace.execute({ action: "set", key, value: name });
      const removal = keySpace.execute({ action: "compareAndDelete", key, prevValue: "<x>" });
      await expect(removal).rejects.toMatchObject(testFailed(`[<x> != ${name}]`));
    }
  },

  "unusual names can be watched": async ({ keySpace, dir }) => {
    for (const name of ["a b+c%2F?;#", "日本\n😀", "__proto__"]) {
      const key = `${dir}/${name}`;
      const watch = await keySpace.openWatch({ key });
      const { node } = await keySpace.execute({ action: "set", key, value: name });
      expect((await eventOf(watch)).node).toEqual(node);
    }
  },

  "directories with unusual names accept in-order creates and can be deleted": async ({
    keySpace,
    dir,
  }) => {
    for (const name of ["a b+c%2F?;#", "日本\n😀", "..."]) {
      const key = `${dir}/${name}`;
      const { node } = await keySpace.execute({ action: "create", key, value: "1", inOrder: true });
      expect(node.key.slice(0, -21)).toBe(key);
      await keySpace.execute({ action: "delete", key, recursive: true });
    }
    const { node } = await keySpace.execute({ action: "get", key: dir });
    expect(node).not.toHaveProperty("nodes");
  },

  "names that differ in case or in Unicode normalization form are distinct": async ({
    keySpace,
    dir,
  }) => {
    const names = ["a", "A", "\u00e9", "e\u0301", "ﬁ", "fi", "Ａ"];
    for (const name of names) {
      await keySpace.execute({ action: "create", key: `${dir}/${name}`, value: name });
    }
    const { node } = await keySpace.execute({ action: "get", key: dir });
    expect(node.nodes).toHaveLength(names.length);
  },

  "every character of the Basic Multilingual Plane is preserved in a value": async ({
    keySpace,
    dir,
  }) => {
    const codes = Array.from({ length: 0x10000 }, (_, code) => code);
    const scalars = codes.filter((code) => code < 0xd800 || code > 0xdfff);
    const value = scalars.map((code) => String.fromCodePoint(code)).join("");
    await keySpace.execute({ action: "set", key: `${dir}/a`, value });
    const { node } = await keySpace.execute({ action: "get", key: `${dir}/a` });
    expect(node.value === value).toBe(true);
  },

  "a name can have 5,000 characters": async ({ keySpace, dir }) => {
    const key = `${dir}/${"ä".repeat(5_000)}`;
    const { node } = await keySpace.execute({ action: "set", key, value: "1" });
    expect(node.key).toBe(key);
    expect((await keySpace.execute({ action: "get", key })).node).toEqual(node);
    await keySpace.execute({ action: "delete", key });
  },
};
