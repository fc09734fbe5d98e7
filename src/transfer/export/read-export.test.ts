import { describe, expect, it } from "vitest";
import { MemoryKeySpace } from "../../key-space/memory/memory-key-space.js";
import { systemClock } from "../../time/clock.js";
import { exportTree } from "./export-tree.js";
import { readEntries, verifyExport } from "./read-export.js";

async function* cut(text: string, length: number): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += length) yield text.slice(at, at + length);
}

async function exported(): Promise<string> {
  const keySpace = new MemoryKeySpace({ historySize: 10, clock: systemClock });
  for (const value of ["\u2028", "\r\n", "€😀", ""]) {
    await keySpace.execute({ action: "create", key: "/a", inOrder: true, value });
  }
  let text = "";
  for await (const piece of exportTree(keySpace, ["/"])) text += piece;
  return text;
}

describe("an export", () => {
  it("is the same for every split of its text", async () => {
    const text = await exported();
    for (const length of [1, 2, 7, text.length]) {
      expect((await verifyExport(cut(text, length))).keys).toEqual(["/"]);
      const values: (string | undefined)[] = [];
      for await (const entry of readEntries(cut(text, length))) values.push(entry.value);
      expect(values).toEqual([undefined, "\u2028", "\r\n", "€😀", ""]);
    }
  });

  it("is accepted without its last line feed, and refused at any other length", async () => {
    const text = await exported();
    await verifyExport(cut(text.trimEnd(), 100));
    for (let length = 0; length < text.length - 1; length++) {
      await expect(verifyExport(cut(text.slice(0, length), 100))).rejects.toThrow(
        /truncated|neither/,
      );
    }
  });
});
