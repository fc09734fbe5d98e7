import { expect, it } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { describeWithEtcd } from "../support/etcd.js";
import { OWN_V2 } from "./clients.js";
import { judgeWrites } from "./judge.js";
import { RELEASES, TestBed } from "./test-bed.js";
import { addsWithoutResponse } from "./write-faults.js";

describeWithEtcd(RELEASES.v2, "this client in the league", () => {
  it("applies no write twice, and reports no write as failed that stands", async () => {
    buildIfStale();
    const command = OWN_V2.install();
    if ("missing" in command) throw new Error(command.missing);
    await using bed = await TestBed.start(OWN_V2.server, command);
    const writes = await addsWithoutResponse(bed);
    expect(judgeWrites(writes)).toEqual({ of: 10, twice: 0, failedButStand: 0 });
    // Without an error, the fault would not have happened.
    expect(writes.every(({ error }) => error !== undefined)).toBe(true);
  });
});
