/** The return to v2 by a process whose wall clock is five minutes ahead of that of the gateways. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { beforeAll, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { arm } from "../../src/cutover/arm.js";
import { flip } from "../../src/cutover/flip.js";
import { Cli } from "../support/cli-process.js";
import { describeWithEtcd } from "../support/etcd.js";
import { put } from "./clients.js";
import { useSwitchRigs } from "./switch-rig.js";

const SHIFTED_CLOCK = pathToFileURL(join(import.meta.dirname, "shifted-clock.mjs")).href;

describeWithEtcd("3.7", "a return by a process with a wrong clock", () => {
  const { start } = useSwitchRigs();
  beforeAll(buildIfStale);

  it("does not end keys early", async () => {
    const { target, source, sourceUrls, targetUrls, gateways } = await start(1);
    const [gateway] = gateways;
    await arm(source, target, { gateways: 1, hold: 2_000 });
    await flip(source, target, {});
    await put(gateway, "/lock", { value: "holder", ttl: "90" });
    const clusters = ["--source", sourceUrls.join(","), "--endpoints", targetUrls.join(",")];
    await using cli = new Cli("cutover", "back", ...clusters, {
      NODE_OPTIONS: `--import=${SHIFTED_CLOCK}`,
      SHIFT_MS: "300000",
    });
    expect(await cli.exit, cli.stderr).toBe(0);
    expect((await source.getNode("/lock", { quorum: true })).node.ttl).toBeGreaterThan(60);
  });
});
