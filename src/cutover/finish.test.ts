import { expect, it } from "vitest";
import { MemoryKeySpace } from "../key-space/memory/memory-key-space.js";
import type { KeyRequest } from "../model/key-request.js";
import { finish } from "./back.js";
import { CutoverRecords } from "./cutover-records.js";
import type { CutoverTarget } from "./open-target.js";
import { SeenPasswords } from "./seen-passwords.js";

it("says that recorded passwords are left, and removes them when it runs again", async () => {
  const keySpace = new MemoryKeySpace();
  const records = new CutoverRecords(keySpace);
  await records.create({
    phase: "target",
    clusterId: "cdf818194e3a8c32",
    gateways: 1,
    hold: 10_000,
    end: 7,
    switches: 1,
    switchedAt: 0,
    returnedAt: 0,
    isFinished: false,
    passwords: "since-arm",
  });
  const seen = new SeenPasswords(keySpace, "since-arm");
  await seen.add("app", Buffer.from("secret"));
  const execute = keySpace.execute.bind(keySpace);
  keySpace.execute = async (request: KeyRequest) => {
    if (request.action === "delete") throw new Error("etcd is away");
    return await execute(request);
  };
  const target = { records } as CutoverTarget;

  await expect(finish(target)).rejects.toThrow(/passwords .*are still on v3: .*finish.* again/);
  expect(await records.read()).toMatchObject({ isFinished: true });
  expect((await seen.all()).size).toBe(1);

  keySpace.execute = execute;
  await finish(target);
  expect((await seen.all()).size).toBe(0);
});
