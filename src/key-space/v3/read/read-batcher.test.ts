import { describe, expect, it } from "vitest";
import { UnauthorizedError } from "../../../errors/common-errors.js";
import { ReadBatcher } from "./read-batcher.js";

/** Returns `A` for `a` when the test says so, and records the batches. */
class Backend {
  readonly asked: string[][] = [];
  readonly #open: (() => void)[] = [];
  readonly batches = new ReadBatcher<string>(
    (paths) => {
      this.asked.push([...paths]);
      return new Promise((resolve, reject) => {
        this.#open.push(() =>
          paths.includes("shut") ? reject(forbidden()) : resolve(paths.map((p) => p.toUpperCase())),
        );
      });
    },
    () => 128,
  );

  /** Completes the oldest pending batch. */
  async answer(): Promise<void> {
    this.#open.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }

  read(...paths: readonly string[]): readonly Promise<string>[] {
    return paths.map((path) => this.batches.read(path, undefined));
  }
}

function forbidden(): UnauthorizedError {
  return new UnauthorizedError({
    errorCode: 110,
    reason: "",
    detail: "",
    index: 0,
    status: 401,
    key: "/",
    operation: "GET /",
    endpoint: "",
  });
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("reads in batches", () => {
  it("are sent together if they start in the same turn", async () => {
    const backend = new Backend();
    const reads = backend.read("a", "b", "c");
    await turn();
    expect(backend.asked).toEqual([["a", "b", "c"]]);
    await backend.answer();
    expect(await Promise.all(reads)).toEqual(["A", "B", "C"]);
  });

  it("wait while two batches are running", async () => {
    const backend = new Backend();
    for (const path of ["a", "b", "c", "d"]) {
      backend.read(path);
      await turn();
    }
    expect(backend.asked).toEqual([["a"], ["b"]]);
    await backend.answer();
    expect(backend.asked).toEqual([["a"], ["b"], ["c", "d"]]);
  });

  it("have at most 128 reads", async () => {
    const backend = new Backend();
    backend.read(...Array.from({ length: 200 }, () => "a"));
    await turn();
    expect(backend.asked.map(({ length }) => length)).toEqual([128, 72]);
  });

  it("are split in halves until only the forbidden read fails", async () => {
    const backend = new Backend();
    const reads = backend.read("a", "b", "shut", "c");
    const results = Promise.allSettled(reads);
    for (let count = 0; count < 10; count++) {
      await turn();
      await backend.answer();
    }
    const statuses = (await results).map(({ status }) => status);
    expect(statuses).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled"]);
  });

  it("end at once if they are aborted, and are not sent", async () => {
    const backend = new Backend();
    const abort = new AbortController();
    backend.read("a");
    await turn();
    backend.read("b");
    await turn();
    const given = backend.batches.read("c", abort.signal);
    backend.read("d");
    abort.abort(new Error("enough"));
    await expect(given).rejects.toMatchObject({ name: "AbortError", outcome: "none" });
    await expect(backend.batches.read("e", abort.signal)).rejects.toMatchObject({
      outcome: "none",
    });
    await backend.answer();
    expect(backend.asked).toEqual([["a"], ["b"], ["d"]]);
  });
});
