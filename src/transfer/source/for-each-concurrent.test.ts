import { describe, expect, it } from "vitest";
import { forEachConcurrent } from "./for-each-concurrent.js";

async function* counting(end: number): AsyncGenerator<number> {
  for (let count = 1; count <= end; count++) yield count;
}

describe("eachOf", () => {
  it("runs up to the limit concurrently, never more", async () => {
    let underWay = 0;
    let most = 0;
    const done: number[] = [];
    await forEachConcurrent(counting(20), 3, async (count) => {
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay--;
      done.push(count);
    });
    expect(most).toBe(3);
    expect(done.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
  });

  it("starts nothing after a failure, and throws it when all running tasks have ended", async () => {
    const begun: number[] = [];
    const ended: number[] = [];
    const failing = forEachConcurrent(counting(20), 2, async (count) => {
      begun.push(count);
      await Promise.resolve();
      if (count === 3) throw new Error("third");
      await Promise.resolve();
      ended.push(count);
    });
    await expect(failing).rejects.toThrow("third");
    expect(begun.length).toBeLessThan(6);
    expect(ended).toEqual(begun.filter((count) => count !== 3));
  });

  it("throws the error of its source", async () => {
    const broken = (async function* (): AsyncGenerator<number> {
      yield 1;
      throw new Error("no more");
    })();
    await expect(forEachConcurrent(broken, 4, async () => {})).rejects.toThrow("no more");
  });
});
