/** Clients that synchronise their endpoints, on gateways that were told nothing but the cluster. */

import { beforeAll, expect } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { Cli } from "../support/cli-process.js";
import { describeWithEtcd, type Release, startEtcd } from "../support/etcd.js";
import { EtcdctlRunner, findEtcdctl } from "./etcdctl.js";
import { buildGoTests } from "./go-client.js";
import { itWith } from "./missing.js";
import { run } from "./run.js";

const GO_TESTS = "^(TestEndpointsFollowTheMembers|TestPrefersTheLeaderIfSoAsked)$";

const etcdctl = findEtcdctl();
const goTests = buildGoTests();

async function startGateway(release: Release, members: 1 | 3 = 1) {
  const etcd = await startEtcd({ release, members });
  const gateway = new Cli("gateway", "--port", "0", "--endpoints", etcd.urls.join(","));
  const stop = async (): Promise<void> => {
    await gateway[Symbol.asyncDispose]();
    await etcd.stop();
  };
  return { etcd, url: await gateway.url(), [Symbol.asyncDispose]: stop };
}

describeWithEtcd("3.7", "before etcd 3.7 with a dead member", () => {
  beforeAll(buildIfStale);

  itWith(etcdctl, "etcdctl finds the cluster healthy while it has a quorum", async (program) => {
    await using gateway = await startGateway("3.7", 3);
    await gateway.etcd.members.at(-1)?.kill();
    const runner = new EtcdctlRunner(program, () => ({ urls: [gateway.url] }));
    // The killed member may have been the leader.
    const health = async () => (await runner.run(["cluster-health"])).stdout;
    await expect.poll(health).toMatch(/\ncluster is healthy\n$/);
  });
});

for (const release of ["3.6", "3.7"] as const) {
  describeWithEtcd(release, `before etcd ${release}`, () => {
    beforeAll(buildIfStale);

    itWith(etcdctl, "etcdctl goes on with the gateway", async (program) => {
      await using gateway = await startGateway(release);
      // It may know the gateway by another name than the one that the gateway listens on.
      const url = gateway.url.replace("127.0.0.1", "localhost");
      const runner = new EtcdctlRunner(program, () => ({ urls: [url] }));
      expect(await runner.print("set", "/a", "1")).toBe("1\n");
      expect(await runner.print("get", "/a")).toBe("1\n");
      expect(await runner.print("member", "list")).toContain(`clientURLs=${url} isLeader=true`);
      expect(await runner.print("cluster-health")).toContain(`got healthy result from ${url}`);
    });

    itWith(goTests, "etcd's Go client goes on with the gateway", async (program) => {
      await using gateway = await startGateway(release);
      const env = { ETCD_URL: gateway.url, ETCD_URLS: gateway.url };
      const { code, stdout, stderr } = await run(program, ["-test.run", GO_TESTS], { env });
      if (code !== 0) expect.fail(stdout + stderr);
    });
  });
}
