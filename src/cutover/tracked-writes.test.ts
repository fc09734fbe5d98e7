import { expect, test } from "vitest";
import { ClusterUnavailableError, TimeoutError } from "../errors/cluster-errors.js";
import { MemoryKeySpace } from "../key-space/memory/memory-key-space.js";
import type { EtcdResponse } from "../model/response.js";
import { TrackedWrites } from "./tracked-writes.js";

/** A key space that fails from now on. */
function arrange() {
  const store = new MemoryKeySpace();
  let failure: Error | undefined;
  const execute = async (...call: Parameters<MemoryKeySpace["execute"]>): Promise<EtcdResponse> => {
    if (failure !== undefined) throw failure;
    return (await store.execute(...call)) as EtcdResponse;
  };
  const inner = Object.assign(Object.create(store) as MemoryKeySpace, { execute });
  const fail = (error: Error | undefined): void => {
    failure = error;
  };
  return { writes: new TrackedWrites(inner), fail };
}

const set = { action: "set", key: "/a", value: "1" } as const;

test("a write that v2 has refused or never received cannot arrive later", async () => {
  const { writes, fail } = arrange();
  await expect(writes.execute({ ...set, action: "create", key: "/a/" })).resolves.toBeDefined();
  await expect(writes.execute({ action: "delete", key: "/missing" })).rejects.toThrow("not found");
  fail(new ClusterUnavailableError("PUT /a", []));
  await expect(writes.execute(set)).rejects.toThrow("no member");
  fail(new TimeoutError("GET /a: no response", 10));
  await expect(writes.execute({ action: "get", key: "/a" })).rejects.toThrow("no response");
  expect(writes.isCertain).toBe(true);
});

test("after a write without a response, nothing more is written", async () => {
  const { writes, fail } = arrange();
  fail(new TimeoutError("PUT /a: no response", 10));
  await expect(writes.execute(set)).rejects.toThrow(/\(set \/a\), which may still arrive/);
  expect(writes.isCertain).toBe(false);
  fail(undefined);
  await expect(writes.execute({ ...set, key: "/b" })).rejects.toThrow(/\(set \/a\)/);
  await expect(writes.execute({ action: "get", key: "/b" })).rejects.toThrow("not found");
});
