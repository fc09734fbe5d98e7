import { expect, it } from "vitest";
import { MemoryKeySpace } from "../key-space/memory/memory-key-space.js";
import type { KeyRequest } from "../model/key-request.js";
import { SeenPasswords } from "./seen-passwords.js";

it("reads with quorum: a member of v3 that is behind may have an earlier password", async () => {
  const keySpace = new MemoryKeySpace();
  const reads: KeyRequest[] = [];
  const execute = keySpace.execute.bind(keySpace);
  keySpace.execute = async (request: KeyRequest) => {
    if (request.action === "get") reads.push(request);
    return await execute(request);
  };
  const seen = new SeenPasswords(keySpace, "since-arm");
  await seen.add("app", Buffer.from("one"));
  await seen.add("app", Buffer.from("two"));
  expect([...(await seen.all()).keys()]).toEqual(["app"]);
  await SeenPasswords.removeOthers(keySpace, "later");
  expect(reads.length).toBeGreaterThan(2);
  expect(reads.filter((read) => !("quorum" in read && read.quorum))).toEqual([]);
});
